//! The blocks of a decoder: in memory, or read one at a time when they are needed, so that a model larger
//! than memory can be run.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use candle_core::Device;
use rayon::prelude::*;

use super::block_parameters::{Block, Norms};
use crate::error::Result;

/// Gives the parameters of a block, the same at every call.
pub trait BlockSource: Send + Sync {
    /// Block `l`, from 0.
    ///
    /// # Errors
    /// If it cannot be read.
    fn block(&self, l: usize) -> Result<Block>;
}

/// Block 1 to L.
#[derive(Debug, Clone)]
pub enum Blocks {
    /// In memory.
    Loaded(Vec<Block>),
    /// Read when they are needed.
    Streamed(Arc<StreamedBlocks>),
}

impl Blocks {
    /// Block `l`, from 0. It stays in memory while the result lives; a thread must hold one at a time.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn get(&self, l: usize) -> Result<HeldBlock<'_>> {
        match self {
            Self::Loaded(blocks) => Ok(HeldBlock::Loaded(&blocks[l])),
            Self::Streamed(streamed) => streamed.get(l),
        }
    }

    /// The norms around attention of block `l`, which are always in memory; `None` beyond the last block.
    pub(super) fn attention_norms(&self, l: usize) -> Option<&Norms> {
        match self {
            Self::Loaded(blocks) => blocks.get(l).map(|block| &block.attention_norms),
            Self::Streamed(streamed) => streamed.norms.get(l),
        }
    }

    pub(super) fn n_params(&self) -> usize {
        match self {
            Self::Loaded(blocks) => blocks.iter().map(Block::n_params).sum(),
            Self::Streamed(streamed) => streamed.n_params,
        }
    }

    pub(super) fn to_device(&self, device: &Device) -> Result<Self> {
        match self {
            Self::Loaded(blocks) => {
                Ok(Self::Loaded(blocks.iter().map(|block| block.to_device(device)).collect::<Result<_>>()?))
            }
            Self::Streamed(_) => {
                let reason = "blocks that are read when they are needed compute on the CPU alone";
                Err(candle_core::Error::Msg(reason.into()).into())
            }
        }
    }
}

/// Blocks that are read when they are needed. Threads that need the same one share it.
pub struct StreamedBlocks {
    source: Box<dyn BlockSource>,
    /// Around attention, of each block.
    norms: Vec<Norms>,
    n_params: usize,
    /// The most blocks that are in memory at a time.
    most: usize,
    slots: Mutex<BTreeMap<usize, Slot>>,
    changed: Condvar,
}

/// A block that is in memory, or is being read.
enum Slot {
    Reading,
    /// The block, and how many hold it.
    Held(Arc<Block>, usize),
}

impl StreamedBlocks {
    /// Reads each of `n` blocks once, so that what is wrong with one is known before the first
    /// multiplication. At most `most` blocks are in memory at a time.
    ///
    /// # Errors
    /// Those of `source`, of the first block that has one.
    pub fn new(source: Box<dyn BlockSource>, n: usize, most: usize) -> Result<Self> {
        let mut streamed = Self {
            source,
            norms: vec![],
            n_params: 0,
            most: most.max(1),
            slots: Mutex::default(),
            changed: Condvar::new(),
        };
        let read = |l| streamed.get(l).map(|block| (block.attention_norms.clone(), block.n_params()));
        // All, and then the first error, so that a damaged file gives the same message every time.
        let read: Vec<Result<(Norms, usize)>> = (0..n).into_par_iter().map(read).collect();
        for read in read {
            let (norms, n_params) = read?;
            streamed.norms.push(norms);
            streamed.n_params += n_params;
        }
        Ok(streamed)
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<usize, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the block is in memory, or there is room for it. Whoever waits holds no block, so that
    /// those who hold one go on.
    fn get(&self, l: usize) -> Result<HeldBlock<'_>> {
        let mut slots = self.slots();
        loop {
            let has_room = slots.len() < self.most;
            match slots.get_mut(&l) {
                Some(Slot::Held(block, n)) => {
                    *n += 1;
                    return Ok(HeldBlock::Streamed { of: self, l, block: block.clone() });
                }
                None if has_room => break,
                Some(Slot::Reading) | None => {
                    slots = self.changed.wait(slots).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        slots.insert(l, Slot::Reading);
        drop(slots);
        // The slot is free again if reading fails, or panics.
        let mut claim = Claim { of: self, l, block: None };
        let block = Arc::new(self.source.block(l)?);
        claim.block = Some(block.clone());
        drop(claim);
        Ok(HeldBlock::Streamed { of: self, l, block })
    }

    fn release(&self, l: usize) {
        let mut slots = self.slots();
        let is_last = match slots.get_mut(&l) {
            Some(Slot::Held(_, n)) => {
                *n -= 1;
                *n == 0
            }
            _ => false,
        };
        if is_last {
            slots.remove(&l);
            self.changed.notify_all();
        }
    }
}

impl fmt::Debug for StreamedBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamedBlocks({} blocks, {} at a time)", self.norms.len(), self.most)
    }
}

/// The slot of a block that is being read.
struct Claim<'a> {
    of: &'a StreamedBlocks,
    l: usize,
    block: Option<Arc<Block>>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut slots = self.of.slots();
        match self.block.take() {
            Some(block) => drop(slots.insert(self.l, Slot::Held(block, 1))),
            None => drop(slots.remove(&self.l)),
        }
        self.of.changed.notify_all();
    }
}

/// A block in memory.
pub(super) enum HeldBlock<'a> {
    Loaded(&'a Block),
    Streamed { of: &'a StreamedBlocks, l: usize, block: Arc<Block> },
}

impl Deref for HeldBlock<'_> {
    type Target = Block;

    fn deref(&self) -> &Block {
        match self {
            Self::Loaded(block) => block,
            Self::Streamed { block, .. } => block,
        }
    }
}

impl Drop for HeldBlock<'_> {
    fn drop(&mut self) {
        if let Self::Streamed { of, l, .. } = self {
            of.release(*l);
        }
    }
}
