//! MXFP4 weights of gpt-oss as they are published in safetensors: four-bit values in a tensor whose name ends
//! in `_blocks`, and the scale of each 32 of them in one whose name ends in `_scales`. Together they are the
//! tensor whose name has neither end, `(n_experts, in, out)`.
//!
//! # References
//! OCP Microscaling Formats (MX) Specification v1.0; `integrations/mxfp4.py` of transformers for the order.

use std::collections::HashMap;

use super::bytes::Bytes;
use super::entry::{StoredType, TensorEntry};
use super::quantised::{mxfp4_scale, mxfp4_value};
use crate::error::Result;

/// Values that share a scale, and their bytes.
const GROUP: usize = 32;
const GROUP_BYTES: usize = GROUP / 2;

/// The entries with each tensor of values and its scales as one. A pair that does not fit together stays as
/// it is.
pub(super) fn joined(mut entries: HashMap<String, TensorEntry>) -> HashMap<String, TensorEntry> {
    let pairs: Vec<String> =
        entries.keys().filter_map(|name| name.strip_suffix("_blocks")).map(str::to_owned).collect();
    for name in pairs {
        let (blocks, scales) = (format!("{name}_blocks"), scales_of(&name));
        if entries.contains_key(&name) || misfit(&entries, &blocks).is_some() {
            continue;
        }
        if let (Some(blocks), Some(scales)) = (entries.remove(&blocks), entries.remove(&scales)) {
            let stored = StoredType::Mxfp4 { scales_file: scales.file, scales_start: scales.start };
            let shape = vec![blocks.shape[0], GROUP * blocks.shape[2], blocks.shape[1]];
            entries.insert(name, TensorEntry { stored, shape, ..blocks });
        }
    }
    entries
}

/// The first tensor of values without the scales that belong to it, and what is wrong. A buffer of another
/// kind may end in `_blocks` too: only experts of gpt-oss and what has scales beside it hold values.
pub(super) fn fault(entries: &HashMap<String, TensorEntry>) -> Option<(&str, String)> {
    let holds_values = |name: &&String| {
        name.ends_with("_proj_blocks")
            || name.strip_suffix("_blocks").is_some_and(|name| entries.contains_key(&scales_of(name)))
    };
    let blocks = entries.keys().filter(holds_values).min()?;
    Some((blocks, misfit(entries, blocks)?))
}

fn scales_of(name: &str) -> String {
    format!("{name}_scales")
}

/// Why a tensor of values and its scales do not fit together; `None` only where they do.
fn misfit(entries: &HashMap<String, TensorEntry>, blocks: &str) -> Option<String> {
    let is_bytes = |entry: &TensorEntry| matches!(&entry.stored, StoredType::Other(kind) if kind == "U8");
    let name = scales_of(blocks.strip_suffix("_blocks").unwrap_or(blocks));
    let (Some(values), Some(scales)) = (entries.get(blocks), entries.get(&name)) else {
        return Some(format!(
            "holds MXFP4 values whose scales `{name}` are missing; download the checkpoint again"
        ));
    };
    if !is_bytes(values) || !is_bytes(scales) {
        return Some(format!(
            "and its scales `{name}` are not both bytes (U8), as MXFP4 values are; download the checkpoint \
             again, or convert it to bf16"
        ));
    }
    match values.shape.as_slice() {
        [n, out, groups, GROUP_BYTES] if scales.shape == [*n, *out, *groups] => None,
        shape => Some(format!(
            "holds MXFP4 values of shape {shape:?} with scales `{name}` of shape {:?}; they fit as (n, out, \
             groups, {GROUP_BYTES}) and (n, out, groups): download the checkpoint again",
            scales.shape
        )),
    }
}

/// The values of a joined tensor, `(n, in, out)`.
pub(super) fn read(
    blocks: &Bytes,
    entry: &TensorEntry,
    scales: &Bytes,
    scales_start: u64,
) -> Result<Vec<f32>> {
    blocks.check_unchanged()?;
    let [n, width_in, width_out] = entry.shape[..] else { return Ok(vec![]) };
    let n_groups = width_out * width_in / GROUP;
    let mut values = vec![0.0; n * width_in * width_out];
    let (mut packed, mut exponents) = (vec![0; GROUP_BYTES * n_groups], vec![0; n_groups]);
    for (expert, values) in values.chunks_exact_mut((width_in * width_out).max(1)).enumerate() {
        blocks.read_at(entry.start + (expert * packed.len()) as u64, &mut packed)?;
        scales.read_at(scales_start + (expert * exponents.len()) as u64, &mut exponents)?;
        for (group, (packed, exponent)) in packed.chunks_exact(GROUP_BYTES).zip(&exponents).enumerate() {
            let (output, first) = (group * GROUP / width_in, group * GROUP % width_in);
            let scale = mxfp4_scale(*exponent);
            for (i, pair) in packed.iter().enumerate() {
                let at = (first + 2 * i) * width_out + output;
                values[at] = mxfp4_value(scale, *pair);
                values[at + width_out] = mxfp4_value(scale, pair >> 4);
            }
        }
    }
    Ok(values)
}
