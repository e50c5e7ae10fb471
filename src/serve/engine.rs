//! Decodes sequences in threads. Each thread takes sequences from the queue of its model, up to its limit,
//! and decodes one token of each sequence per step. The prompt of a new sequence is in the same batch as the
//! last tokens of running sequences (continuous batching).

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use candle_core::Tensor;

use super::sequence::{Sequence, SequenceRequest};
use super::settings::ServerSettings;
use crate::error::{Error, Result};
use crate::model::batch::Batch;
use crate::model::cache::Cache;
use crate::model::decoder::Decoder;
use crate::model::{Model, Tokenizer};

/// Maximum number of new prompt tokens in a batch. Further prompts wait for the next batch, so that they do
/// not delay running sequences for long.
const PROMPT_TOKENS: usize = 1024;
/// Number of rows of logits that are computed at once.
const LOGIT_ROWS: usize = 256;

/// The decoding threads of one model.
pub(super) struct Engine {
    shared: Arc<Shared>,
}

/// The state that the threads of an engine share.
struct Shared {
    decoder: Decoder,
    tokenizer: Tokenizer,
    /// End-of-sequence tokens.
    ends: Vec<u32>,
    queue: Mutex<Queue>,
    arrived: Condvar,
    max_waiting: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<SequenceRequest>,
    closed: bool,
}

/// Why a request does not fit into the queue.
pub(super) enum QueueFull {
    /// The queue is full at the moment.
    Now,
    /// The request has more sequences than the queue can ever hold. The number is that limit.
    Always(usize),
}

impl Engine {
    /// Starts the threads: as many as rayon uses, but at most one per sequence.
    ///
    /// # Errors
    /// [`Error::Serve`] if no thread can be started.
    pub fn start(model: Model, settings: &ServerSettings) -> Result<Self> {
        let ends = model.ends.clone();
        let (loaded, tokenizer) = model.into_parts();
        let shared = Arc::new(Shared {
            decoder: loaded.decoder,
            tokenizer,
            ends,
            queue: Mutex::default(),
            arrived: Condvar::new(),
            max_waiting: settings.max_waiting,
        });
        let threads = rayon::current_num_threads().clamp(1, settings.max_concurrent);
        for thread in 0..threads {
            // The places of all threads add up to the maximum number of sequences.
            let places =
                settings.max_concurrent / threads + usize::from(thread < settings.max_concurrent % threads);
            let shared = shared.clone();
            let work = move || shared.work(places);
            let started = std::thread::Builder::new().name(format!("decode-{thread}")).spawn(work);
            started.map_err(|source| Error::Serve { address: loaded.info.id.clone(), source })?;
        }
        Ok(Self { shared })
    }

    /// The tokenizer of the model.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.shared.tokenizer
    }

    /// Queues the sequences of one request, either all or none.
    pub fn enqueue(&self, sequences: Vec<SequenceRequest>) -> std::result::Result<(), QueueFull> {
        if sequences.len() > self.shared.max_waiting {
            return Err(QueueFull::Always(self.shared.max_waiting));
        }
        let mut queue = self.shared.lock();
        queue.waiting.retain(|request| !request.reply.is_closed());
        if queue.waiting.len() + sequences.len() > self.shared.max_waiting {
            return Err(QueueFull::Now);
        }
        queue.waiting.extend(sequences);
        self.shared.arrived.notify_all();
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits new sequences, as many as `places` and the size of a batch allow. Waits for them if `active` is
    /// empty. Returns `false` when the engine is closed and nothing is active.
    fn admit(&self, active: &mut Vec<Sequence>, places: usize, cache: &mut Cache) -> bool {
        let mut queue = self.lock();
        while active.is_empty() && queue.waiting.is_empty() && !queue.closed {
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let mut tokens = 0;
        while active.len() < places && tokens < PROMPT_TOKENS {
            let Some(request) = queue.waiting.pop_front() else { break };
            if !request.reply.is_closed() {
                tokens += request.prompt.len();
                active.push(Sequence::begin(request, cache));
            }
        }
        !(queue.closed && active.is_empty())
    }

    fn work(&self, places: usize) {
        let mut cache = Cache::new(self.decoder.spec());
        let mut active: Vec<Sequence> = vec![];
        while self.admit(&mut active, places, &mut cache) {
            if let Err(error) = self.step(&mut active, &mut cache) {
                // The sequences of this batch fail; the server continues.
                active.iter_mut().for_each(|sequence| sequence.fail(&error));
            }
            active.retain(|sequence| {
                if sequence.is_over() {
                    cache.free_rows(sequence.rows());
                }
                !sequence.is_over()
            });
        }
    }

    /// Decodes one token of every sequence.
    fn step(&self, active: &mut [Sequence], cache: &mut Cache) -> Result<()> {
        active.iter_mut().for_each(|sequence| sequence.grow(cache));
        let batch = Batch::decode_step(active.iter().map(|sequence| (sequence.new_ids(), sequence.rows())));
        let h = self.decoder.advance(&batch, cache)?;
        // The rows whose logits are needed: all rows of a prompt with scores, and the last row of each
        // sequence.
        let mut wanted: Vec<u32> = vec![];
        let mut first = 0;
        for sequence in active.iter() {
            let n = sequence.new_ids().len();
            wanted.extend((n - sequence.n_logits()..n).map(|i| (first + i) as u32));
            first += n;
        }
        let mut owners = active.iter().enumerate().flat_map(|(i, s)| std::iter::repeat_n(i, s.n_logits()));
        let mut owners: VecDeque<usize> = owners.by_ref().collect();
        for rows in wanted.chunks(LOGIT_ROWS) {
            let rows = Tensor::from_slice(rows, rows.len(), h.device())?;
            for logits in self.decoder.logits(&h.index_select(&rows, 0)?)?.to_vec2::<f32>()? {
                if let Some(owner) = owners.pop_front()
                    && let Err(error) = active[owner].accept_logits(&logits, &self.tokenizer, &self.ends)
                {
                    // A sampling error ends only this sequence.
                    active[owner].fail(&error);
                }
            }
        }
        Ok(())
    }
}
