//! Keeps the blocks of a decoder in memory, or reads each block when the block is needed, so that a model
//! larger than memory can run.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use candle_core::Device;
use rayon::prelude::*;

use super::block_parameters::{Block, Norms};
use crate::error::Result;

/// Provides the parameters of blocks. Several calls for one block return the same values.
pub trait BlockSource: Send + Sync {
    /// Block `l`, from 0.
    ///
    /// # Errors
    /// If the block cannot be read.
    fn block(&self, l: usize) -> Result<Block>;
}

/// All blocks of a decoder.
#[derive(Debug, Clone)]
pub enum Blocks {
    /// In memory.
    Loaded(Vec<Block>),
    /// Read when needed.
    Streamed(Arc<StreamedBlocks>),
}

impl Blocks {
    /// Block `l`, from 0. The block stays in memory while the returned value lives. Each thread must hold at
    /// most one block at a time; otherwise, threads could wait for each other forever.
    ///
    /// # Errors
    /// If the block cannot be read.
    pub(super) fn get(&self, l: usize) -> Result<HeldBlock<'_>> {
        match self {
            Self::Loaded(blocks) => Ok(HeldBlock::Loaded(&blocks[l])),
            Self::Streamed(streamed) => streamed.get(l),
        }
    }

    /// The norms around attention of block `l`, which are always in memory; `None` if there is no block `l`.
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
                let reason = "blocks that are read when needed can be used only on the CPU";
                Err(candle_core::Error::Msg(reason.into()).into())
            }
        }
    }
}

/// Blocks that are read when needed. Threads that need the same block share it.
pub struct StreamedBlocks {
    source: Box<dyn BlockSource>,
    /// Norms around attention, one per block.
    norms: Vec<Norms>,
    n_params: usize,
    /// The largest number of blocks in memory at a time.
    most: usize,
    slots: Mutex<BTreeMap<usize, Slot>>,
    changed: Condvar,
}

/// The state of a block in memory.
enum Slot {
    Reading,
    /// The block, and the number of [`HeldBlock`]s that refer to it.
    Held(Arc<Block>, usize),
}

impl StreamedBlocks {
    /// Reads each of `n` blocks once, so that errors appear before the computation begins. At most `most`
    /// blocks are in memory at a time.
    ///
    /// # Errors
    /// Returns the error of `source`; if several blocks fail, the error of the first failed block.
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
        // Read all blocks before returning the first error, so that a damaged file gives the same message
        // every time.
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

    /// Waits until the block is in memory or a slot is free, and reads the block in the second case. A
    /// waiting thread holds no block, so threads that hold a block can always finish.
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
        // If reading fails or panics, the dropped claim frees the slot.
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

/// The slot of a block that is being read. Dropping this value marks the block as in memory if `block` is
/// set; otherwise it frees the slot.
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

/// A block that stays in memory until this value is dropped.
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
