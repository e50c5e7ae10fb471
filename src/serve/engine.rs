//! Decodes sequences in threads. Each thread takes sequences from the queue of its model, up to its limit,
//! and decodes one token of each sequence per step. The prompts of new sequences are in the same batch as the
//! last tokens of running sequences (continuous batching). A long prompt is computed in several steps.

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

/// Maximum number of prompt tokens in a batch, and maximum number of cache rows that these tokens read. All
/// prompts in progress share both limits, so that a long prompt delays running sequences and other prompts
/// only briefly. The memory of a batch is proportional to the number of rows.
const PROMPT_TOKENS: usize = 1024;
const PROMPT_ROWS: usize = 2 << 20;
/// Maximum memory for the keys and values of the prompts in progress, in bytes. Further prompts wait.
const PROMPT_BYTES: usize = 2 << 30;
/// Maximum number of sequences that overtake a prompt for which there is no memory.
const MOST_OVERTAKING: usize = 64;
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
    /// Maximum total number of prompt tokens of the sequences that are being decoded.
    most_prompt_tokens: usize,
    /// Maximum number of long prompts that are computed at once: half of `max_concurrent`, but at least one.
    most_long: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<SequenceRequest>,
    /// Number of prompt tokens of the sequences that are being decoded.
    prompt_tokens: usize,
    /// Number of long prompts that are being computed.
    n_long: usize,
    /// Number of sequences that overtook the first prompt for which there is no memory.
    overtaken: usize,
    closed: bool,
}

/// Why a request does not fit into the queue.
pub(super) enum QueueFull {
    /// The queue is full at the moment.
    Now,
    /// The request has more sequences than the queue can contain. The number is this limit.
    Always(usize),
}

impl Engine {
    /// Starts as many decoding threads as rayon has threads, but at most `max_concurrent`.
    ///
    /// # Errors
    /// [`Error::Threads`] if no thread can be started.
    pub fn start(model: Model, settings: &ServerSettings) -> Result<Self> {
        let ends = model.ends.clone();
        let (loaded, tokenizer) = model.into_parts();
        let most_prompt_tokens = PROMPT_BYTES / Cache::token_bytes(loaded.decoder.spec());
        let shared = Arc::new(Shared {
            decoder: loaded.decoder,
            tokenizer,
            ends,
            queue: Mutex::default(),
            arrived: Condvar::new(),
            max_waiting: settings.max_waiting,
            most_prompt_tokens,
            most_long: (settings.max_concurrent / 2).max(1),
        });
        let threads = rayon::current_num_threads().clamp(1, settings.max_concurrent);
        for thread in 0..threads {
            // The places of all threads add up to `max_concurrent`.
            let places =
                settings.max_concurrent / threads + usize::from(thread < settings.max_concurrent % threads);
            let shared = shared.clone();
            let work = move || shared.work(places);
            let started = std::thread::Builder::new().name(format!("decode-{thread}")).spawn(work);
            started.map_err(|error| Error::Threads { reason: error.to_string() })?;
        }
        Ok(Self { shared })
    }

    /// The tokenizer of the model.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.shared.tokenizer
    }

    /// Maximum length of a prompt in tokens; the keys and values of a longer prompt exceed the memory limit.
    pub fn most_prompt_tokens(&self) -> usize {
        self.shared.most_prompt_tokens
    }

    /// Queues the sequences of one request, either all or none. No prompt may exceed
    /// [`Self::most_prompt_tokens`].
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

/// Whether a prompt of this many tokens takes several steps.
fn is_long(tokens: usize) -> bool {
    tokens > PROMPT_TOKENS
}

/// Number of long prompts that are not completely computed.
fn n_long(active: &[Sequence]) -> usize {
    active.iter().filter(|sequence| sequence.is_in_prompt() && is_long(sequence.prompt_len())).count()
}

/// A sequence that can begin.
#[derive(Debug, PartialEq, Eq)]
struct Next {
    /// Its position in the queue.
    at: usize,
    /// Whether there is no memory for the prompt of an earlier sequence in the queue.
    overtakes: bool,
}

impl Queue {
    /// The next sequence whose prompt fits into memory together with the prompts in progress. A long prompt
    /// is skipped if `most_long` long prompts are being computed, or if an earlier long prompt in the queue
    /// does not fit. A prompt that does not fit is overtaken by at most [`MOST_OVERTAKING`] sequences.
    fn next(&self, most_prompt_tokens: usize, most_long: usize) -> Option<Next> {
        let (mut takes_long, mut overtakes) = (self.n_long < most_long, false);
        for (at, request) in self.waiting.iter().enumerate() {
            let tokens = request.prompt.len();
            let fits = self.prompt_tokens + tokens <= most_prompt_tokens;
            if fits && (takes_long || !is_long(tokens)) {
                return Some(Next { at, overtakes });
            }
            takes_long &= fits || !is_long(tokens);
            overtakes |= !fits;
            if overtakes && self.overtaken >= MOST_OVERTAKING {
                return None;
            }
        }
        None
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits new sequences until all `places` are taken or no prompt in the queue can begin (see
    /// [`Queue::next`]). Waits for sequences if `active` is empty. Returns `false` when the engine is closed
    /// and nothing is active.
    fn admit(&self, active: &mut Vec<Sequence>, places: usize) -> bool {
        let mut queue = self.lock();
        let next = |queue: &Queue| queue.next(self.most_prompt_tokens, self.most_long);
        while active.is_empty() && next(&queue).is_none() && !queue.closed {
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        while active.len() < places
            && let Some(Next { at, overtakes }) = next(&queue)
        {
            let Some(request) = queue.waiting.remove(at) else { break };
            if !request.reply.is_closed() {
                queue.overtaken = if overtakes { queue.overtaken + 1 } else { 0 };
                queue.prompt_tokens += request.prompt.len();
                queue.n_long += usize::from(is_long(request.prompt.len()));
                active.push(Sequence::begin(request));
            }
        }
        !(queue.closed && active.is_empty())
    }

    fn work(&self, places: usize) {
        let mut cache = Cache::new(self.decoder.spec());
        let mut active: Vec<Sequence> = vec![];
        while self.admit(&mut active, places) {
            let before = n_long(&active);
            if let Err(error) = self.step(&mut active, &mut cache) {
                // The sequences of this batch fail; the server continues.
                active.iter_mut().for_each(|sequence| sequence.fail(&error));
            }
            for over in active.extract_if(.., |sequence| sequence.is_over()) {
                cache.free_rows(over.rows());
                self.lock().prompt_tokens -= over.prompt_len();
                // Another thread may be waiting for this memory.
                self.arrived.notify_all();
            }
            let n_ended = before - n_long(&active);
            if n_ended > 0 {
                self.lock().n_long -= n_ended;
                self.arrived.notify_all();
            }
        }
    }

    /// Decodes one token of every sequence whose prompt is computed, and computes a part of every other
    /// prompt.
    fn step(&self, active: &mut [Sequence], cache: &mut Cache) -> Result<()> {
        let prompts = active.iter().filter(|sequence| sequence.is_in_prompt()).count().max(1);
        let (tokens, rows) = ((PROMPT_TOKENS / prompts).max(1), PROMPT_ROWS / prompts);
        active.iter_mut().for_each(|sequence| sequence.begin_piece(tokens, rows, cache));
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
        active.iter_mut().for_each(Sequence::end_piece);
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

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::serve::sampling::SamplingParams;

    #[test]
    fn a_prompt_without_memory_is_overtaken_by_a_limited_number_of_short_ones() {
        let (reply, _events) = unbounded_channel();
        let request = |tokens: usize| SequenceRequest {
            prompt: vec![1; tokens],
            sampling: SamplingParams::default(),
            index: 0,
            reply: reply.clone(),
        };
        let mut queue = Queue { prompt_tokens: 100, ..Queue::default() };
        queue.waiting.extend([request(1000), request(10)]);
        assert_eq!(queue.next(1050, 8), Some(Next { at: 1, overtakes: true }));
        queue.overtaken = MOST_OVERTAKING;
        assert_eq!(queue.next(1050, 8), None);
        queue.prompt_tokens = 0;
        assert_eq!(queue.next(1050, 8), Some(Next { at: 0, overtakes: false }));
        // Long prompts that fit are overtaken while the maximum number of them is being computed.
        let mut queue = Queue { n_long: 1, overtaken: MOST_OVERTAKING, ..Queue::default() };
        queue.waiting.extend([request(PROMPT_TOKENS + 1), request(10)]);
        assert_eq!(queue.next(1 << 20, 1), Some(Next { at: 1, overtakes: false }));
    }
}
