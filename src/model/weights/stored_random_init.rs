//! Stores seeded initial weights in a temporary file, for models that are larger than memory. Generating the
//! weights again for every batch would take longer than computing the batch.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{Device, Tensor};

use super::init::Init;
use super::random_init::RandomInit;
use super::source::ParameterSource;
use crate::error::{Error, Result};

/// Number of values that are generated and written, or read, in one step.
const PIECE: usize = 1 << 18;

/// The same weights as [`RandomInit`], but each tensor is generated once and then read from the file.
#[derive(Debug)]
pub struct StoredRandomInit {
    init: RandomInit,
    /// An unnamed file, which the system removes when the process ends.
    file: Mutex<File>,
    /// The offset of each tensor in the file; `None` until the tensor is written.
    starts: Mutex<HashMap<String, Arc<Mutex<Option<u64>>>>>,
    end: Mutex<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn path() -> PathBuf {
    std::env::temp_dir().join("(unnamed file of initial weights)")
}

fn unwritten(source: std::io::Error) -> Error {
    Error::Write { path: path(), source }
}

impl StoredRandomInit {
    /// Creates an empty file. Each tensor is generated when it is first used.
    ///
    /// # Errors
    /// [`Error::Write`] if the temporary file cannot be created.
    pub fn new(init: RandomInit) -> Result<Self> {
        let file = Mutex::new(tempfile::tempfile().map_err(unwritten)?);
        Ok(Self { init, file, starts: Mutex::default(), end: Mutex::new(0) })
    }

    /// The offset of a tensor of `n` values. Generates the tensor when it is first used.
    fn start(&self, name: &str, n: usize, init: Init) -> Result<u64> {
        let cell = lock(&self.starts).entry(name.to_owned()).or_default().clone();
        let mut place = lock(&cell);
        if let Some(start) = *place {
            return Ok(start);
        }
        let start = {
            let mut end = lock(&self.end);
            let start = *end;
            *end += 4 * n as u64;
            start
        };
        let mut values = self.init.values(name, n, init);
        for at in (0..n).step_by(PIECE) {
            let bytes: Vec<u8> = values.by_ref().take(PIECE).flat_map(f32::to_le_bytes).collect();
            let mut file = lock(&self.file);
            let seek = file.seek(SeekFrom::Start(start + 4 * at as u64));
            seek.and_then(|_| file.write_all(&bytes)).map_err(unwritten)?;
        }
        *place = Some(start);
        Ok(start)
    }

    fn read(&self, start: u64, n: usize) -> Result<Vec<f32>> {
        let mut values = Vec::with_capacity(n);
        let mut bytes = vec![0; 4 * n.min(PIECE)];
        for first in (0..n).step_by(PIECE) {
            let bytes = &mut bytes[..4 * PIECE.min(n - first)];
            let mut file = lock(&self.file);
            let read =
                file.seek(SeekFrom::Start(start + 4 * first as u64)).and_then(|_| file.read_exact(bytes));
            drop(file);
            read.map_err(|source| Error::Read { path: path(), source })?;
            values.extend(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        }
        Ok(values)
    }
}

impl ParameterSource for StoredRandomInit {
    fn has(&self, _name: &str) -> bool {
        false
    }

    fn tensor(&self, name: &str, shape: &[usize], init: Init) -> Result<Tensor> {
        let n = shape.iter().product();
        let start = self.start(name, n, init)?;
        Ok(Tensor::from_vec(self.read(start, n)?, shape, &Device::Cpu)?)
    }

    fn rows(&self, name: &str, shape: [usize; 2], rows: Range<usize>, init: Init) -> Result<Vec<f32>> {
        let [n, width] = shape;
        let start = self.start(name, n * width, init)?;
        self.read(start + 4 * (rows.start * width) as u64, rows.len() * width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_weights_are_those_that_are_drawn() {
        let drawn = RandomInit { seed: 7 };
        let stored = StoredRandomInit::new(drawn).expect("a file");
        let flat = |tensor: Tensor| tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("f32");
        // The first tensor has more than one piece. The second use of each tensor reads it from the file.
        for (name, shape) in [("a", [700, 500]), ("b", [3, 5]), ("a", [700, 500]), ("b", [3, 5])] {
            let init = Init::Normal(0.02);
            let truth = flat(drawn.tensor(name, &shape, init).expect("values"));
            assert_eq!(flat(stored.tensor(name, &shape, init).expect("values")), truth, "{name}");
            let rows = stored.rows(name, shape, 1..3, init).expect("rows");
            assert_eq!(rows, truth[shape[1]..3 * shape[1]], "{name}");
        }
        assert_eq!(stored.rows("ones", [4, 2], 1..2, Init::Ones).expect("rows"), [1.0, 1.0]);
    }
}
