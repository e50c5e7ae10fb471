//! Writes a journal with group commit: a single thread writes all waiting records at once, makes them durable
//! with one `fdatasync`, and only then acknowledges them. A commit takes about 4 ms, but under load it
//! contains many records, so the time per record is short.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::record::{self, Record};
use super::scan::RecordSpan;
use crate::error::{Error, Result};

/// Maximum size of a commit in bytes. In a larger commit, the first record would wait too long for the other
/// records.
const MOST_BATCH_BYTES: usize = 8 << 20;
/// Waits before the retries of a failed commit. On a full disk, space may become free meanwhile.
const RETRY_WAITS: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(750),
    Duration::from_secs(2),
];

/// The storage of records: a file, or a mock in tests.
pub(super) trait Medium: Send + 'static {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> std::io::Result<()>;
    fn sync(&mut self) -> std::io::Result<()>;
    fn truncate(&mut self, n_bytes: u64) -> std::io::Result<()>;
}

impl Medium for File {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        self.write_all(bytes)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, n_bytes: u64) -> std::io::Result<()> {
        self.set_len(n_bytes)
    }
}

struct Job {
    line: Vec<u8>,
    /// Whether the record is an outcome, which must not be lost even if the journal cannot be written.
    is_outcome: bool,
    done: oneshot::Sender<std::result::Result<RecordSpan, Arc<std::io::Error>>>,
}

/// A handle to the writer; clones share the writer.
#[derive(Debug, Clone)]
pub struct JournalWriter {
    path: Arc<PathBuf>,
    jobs: mpsc::UnboundedSender<Job>,
}

/// A record that is being written.
#[derive(Debug)]
pub struct Commit {
    path: Arc<PathBuf>,
    done: oneshot::Receiver<std::result::Result<RecordSpan, Arc<std::io::Error>>>,
}

impl Commit {
    /// Waits until the record is durable.
    ///
    /// # Errors
    /// [`Error::Storage`] if the record cannot be written. An outcome is then stored in a separate file,
    /// which a status message names.
    pub async fn durable(self) -> Result<RecordSpan> {
        let source = match self.done.await {
            Ok(Ok(place)) => return Ok(place),
            Ok(Err(shared)) => std::io::Error::new(shared.kind(), shared.to_string()),
            Err(_) => std::io::Error::other("the thread that writes the journal has stopped"),
        };
        Err(Error::Storage { path: self.path.to_path_buf(), source })
    }
}

impl JournalWriter {
    /// Starts the writer thread. `fallback_writer` receives outcomes that could not be written, as journal
    /// lines.
    pub(super) fn start(
        path: PathBuf,
        medium: impl Medium,
        n_bytes: u64,
        durable: bool,
        fallback_writer: impl FnMut(&[u8]) + Send + 'static,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let work = move || work(waiting, medium, n_bytes, durable, fallback_writer);
        let thread = std::thread::Builder::new().name("journal".into()).spawn(work)?;
        Ok((Self { path: Arc::new(path), jobs }, thread))
    }

    /// Queues a record. Records are written in the order in which they are queued.
    ///
    /// # Errors
    /// [`Error::Json`] if the record cannot be encoded.
    pub fn append(&self, record: &Record) -> Result<Commit> {
        let line =
            record::line(record).map_err(|source| Error::Json { path: self.path.to_path_buf(), source })?;
        let (done, receiver) = oneshot::channel();
        // If the thread has ended, [`Commit::durable`] returns an error.
        self.jobs
            .send(Job { line, is_outcome: matches!(record, Record::Outcome(_)), done })
            .unwrap_or_default();
        Ok(Commit { path: self.path.clone(), done: receiver })
    }
}

fn work(
    mut waiting: mpsc::UnboundedReceiver<Job>,
    mut medium: impl Medium,
    mut n_bytes: u64,
    durable: bool,
    mut fallback_writer: impl FnMut(&[u8]),
) {
    let mut failed: Option<Arc<std::io::Error>> = None;
    while let Some(first) = waiting.blocking_recv() {
        let (mut batch, mut bytes) = (vec![], vec![]);
        let mut next = Some(first);
        while let Some(job) = next {
            bytes.extend_from_slice(&job.line);
            batch.push(job);
            next = if bytes.len() < MOST_BATCH_BYTES { waiting.try_recv().ok() } else { None };
        }
        if failed.is_none() {
            match commit(&mut medium, n_bytes, &bytes, durable) {
                Ok(()) => {
                    for job in batch {
                        let place = RecordSpan { offset: n_bytes, n_bytes: job.line.len() as u64 };
                        n_bytes += place.n_bytes;
                        job.done.send(Ok(place)).unwrap_or_default();
                    }
                    continue;
                }
                Err(source) => failed = Some(Arc::new(source)),
            }
        }
        // After a failed commit, no further record may be written, because the journal could then contain an
        // outcome without its intent.
        let Some(source) = &failed else { continue };
        for job in batch {
            if job.is_outcome {
                fallback_writer(&job.line);
            }
            job.done.send(Err(source.clone())).unwrap_or_default();
        }
    }
}

/// Writes the bytes of a commit at their position and makes them durable, with retries. After a failed
/// attempt, the bytes are removed.
fn commit(medium: &mut impl Medium, offset: u64, bytes: &[u8], durable: bool) -> std::io::Result<()> {
    let mut waits = RETRY_WAITS.iter();
    loop {
        let written = medium.write(offset, bytes).and_then(|()| if durable { medium.sync() } else { Ok(()) });
        let Err(source) = written else { return Ok(()) };
        // If truncating fails, an incomplete line may remain. The next run moves it to another file.
        medium.truncate(offset).unwrap_or_default();
        match waits.next() {
            Some(wait) => std::thread::sleep(*wait),
            None => return Err(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::collect::journal::question_key::QuestionKey;
    use crate::collect::journal::record::OutcomeRecord;
    use crate::disk::Schema;

    /// A mock disk that distinguishes written from durable bytes, and fails a given number of times.
    #[derive(Default)]
    struct Disk {
        written: Vec<u8>,
        log: Vec<&'static str>,
        failures: usize,
        durable: Vec<u8>,
    }

    struct Shared(Arc<Mutex<Disk>>);

    impl Medium for Shared {
        fn write(&mut self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
            let mut disk = self.0.lock().unwrap();
            disk.written.truncate(offset as usize);
            disk.written.extend_from_slice(bytes);
            disk.log.push("write");
            Ok(())
        }
        fn sync(&mut self) -> std::io::Result<()> {
            let mut disk = self.0.lock().unwrap();
            disk.log.push("sync");
            if disk.failures > 0 {
                disk.failures -= 1;
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            disk.durable = disk.written.clone();
            Ok(())
        }
        fn truncate(&mut self, n_bytes: u64) -> std::io::Result<()> {
            let mut disk = self.0.lock().unwrap();
            disk.written.truncate(n_bytes as usize);
            disk.log.push("truncate");
            Ok(())
        }
    }

    fn record(i: usize) -> Record {
        Record::Configuration {
            schema: Schema::new(record::NAME, record::VERSION),
            at: record::now(),
            configuration: i.into(),
        }
    }

    fn started(failures: usize) -> (Arc<Mutex<Disk>>, JournalWriter, JoinHandle<()>) {
        let disk = Arc::new(Mutex::new(Disk { failures, ..Disk::default() }));
        let (writer, thread) =
            JournalWriter::start("journal".into(), Shared(disk.clone()), 0, true, |_| {}).unwrap();
        (disk, writer, thread)
    }

    fn wait(commit: Commit) -> Result<RecordSpan> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(commit.durable())
    }

    #[test]
    fn an_acknowledged_record_is_durable_and_at_its_position() {
        let (disk, writer, thread) = started(0);
        let commits: Vec<_> = (0..100).map(|i| (i, writer.append(&record(i)).unwrap())).collect();
        for (i, commit) in commits {
            let place = wait(commit).unwrap();
            let disk = disk.lock().unwrap();
            let line = &disk.durable[place.offset as usize..(place.offset + place.n_bytes) as usize];
            assert!(String::from_utf8_lossy(line).contains(&format!("\"configuration\":{i},")));
        }
        drop(writer);
        thread.join().unwrap();
        let disk = disk.lock().unwrap();
        assert_eq!(disk.log.iter().filter(|what| **what == "write").count() * 2, disk.log.len());
        assert!(disk.log.chunks(2).all(|pair| pair == ["write", "sync"]), "{:?}", disk.log);
    }

    #[test]
    fn a_failed_write_is_retried_and_nothing_is_written_twice() {
        let (disk, writer, thread) = started(2);
        wait(writer.append(&record(0)).unwrap()).unwrap();
        wait(writer.append(&record(1)).unwrap()).unwrap();
        drop(writer);
        thread.join().unwrap();
        let disk = disk.lock().unwrap();
        assert_eq!(disk.durable.iter().filter(|byte| **byte == b'\n').count(), 2);
        assert_eq!(disk.log[..6], ["write", "sync", "truncate", "write", "sync", "truncate"]);
    }

    #[test]
    fn after_a_permanent_failure_all_records_fail_and_outcomes_go_to_the_fallback() {
        let disk = Arc::new(Mutex::new(Disk { failures: usize::MAX, ..Disk::default() }));
        let (sender, rescued) = channel();
        let fallback_writer = move |line: &[u8]| sender.send(line.to_vec()).unwrap();
        let (writer, thread) =
            JournalWriter::start("journal".into(), Shared(disk.clone()), 0, true, fallback_writer).unwrap();
        let first = writer.append(&record(0)).unwrap();
        let outcome = OutcomeRecord::crashed(QuestionKey::NONE, 1, false, None);
        let outcome = Record::Outcome(Box::new(outcome));
        let second = writer.append(&outcome).unwrap();
        assert!(matches!(wait(first), Err(Error::Storage { .. })));
        assert!(matches!(wait(second), Err(Error::Storage { .. })));
        drop(writer);
        thread.join().unwrap();
        assert!(disk.lock().unwrap().written.is_empty());
        let lines: Vec<_> = rescued.iter().collect();
        assert_eq!(lines.len(), 1);
        assert!(record::checked(lines[0].strip_suffix(b"\n").unwrap()).is_some());
    }
}
