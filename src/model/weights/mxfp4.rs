//! Reads the MXFP4 weights of gpt-oss from safetensors. A tensor whose name ends in `_blocks` contains
//! four-bit values, and a tensor whose name ends in `_scales` contains a scale for each group of 32 values.
//! The two are joined into one tensor `(n_experts, in, out)`, whose name has neither ending.
//!
//! # References
//! OCP Microscaling Formats (MX) Specification v1.0; `integrations/mxfp4.py` of transformers for the order of
//! values.

use std::collections::HashMap;

use super::bytes::Bytes;
use super::entry::{StoredType, TensorEntry};
use super::quantised::{mxfp4_scale, mxfp4_value};
use crate::error::Result;

/// Number of values that share a scale, and number of bytes of these values.
const GROUP: usize = 32;
const GROUP_BYTES: usize = GROUP / 2;

/// Joins each tensor of values with its scales into one entry. If values and scales have incompatible types
/// or shapes, both entries are left unchanged.
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

/// The first tensor of MXFP4 values if its scales are missing or incompatible, with the reason. Other buffers
/// may also have names that end in `_blocks`, so a tensor counts as MXFP4 values only if it belongs to the
/// experts of gpt-oss or has scales.
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

/// The reason why a tensor of values and its scales are incompatible; `None` if they are compatible.
fn misfit(entries: &HashMap<String, TensorEntry>, blocks: &str) -> Option<String> {
    let is_bytes = |entry: &TensorEntry| matches!(&entry.stored, StoredType::Other(kind) if kind == "U8");
    let name = scales_of(blocks.strip_suffix("_blocks").unwrap_or(blocks));
    let (Some(values), Some(scales)) = (entries.get(blocks), entries.get(&name)) else {
        return Some(format!(
            "contains MXFP4 values whose scales `{name}` are missing; download the checkpoint again"
        ));
    };
    if !is_bytes(values) || !is_bytes(scales) {
        return Some(format!(
            "and its scales `{name}` must both have the type U8 for MXFP4; download the checkpoint \
             again, or convert it to bf16"
        ));
    }
    match values.shape.as_slice() {
        [n, out, groups, GROUP_BYTES] if scales.shape == [*n, *out, *groups] => None,
        shape => Some(format!(
            "contains MXFP4 values of shape {shape:?} with scales `{name}` of shape {:?}; the shapes must be \
             (n, out, groups, {GROUP_BYTES}) and (n, out, groups): download the checkpoint again",
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
