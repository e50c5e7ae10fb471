//! Reads the tensors of a PyTorch state dict from a Python pickle. No code is executed: classes and functions
//! are treated as names, and only the few that rebuild tensors are interpreted. All values are in one list,
//! refer to each other by index, and borrow their strings from the pickle, so that malicious input cannot
//! cause deep recursion or large copies. One byte of the pickle creates at most one value of a few tens of
//! bytes, and the number of values is limited.
//!
//! # References
//! `pickletools.py` of CPython; `torch/_utils.py` (`_rebuild_tensor_v2`), `torch/serialization.py`
//! (`persistent_id`).

use std::collections::{HashMap, HashSet};

/// A tensor in a state dict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PickledTensor<'a> {
    /// Name of the storage class, such as "FloatStorage".
    pub(super) storage: &'a str,
    /// Name of the archive entry that contains the storage.
    pub(super) key: &'a str,
    /// Offset of the first value in the storage, in values.
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    /// For each dimension, the distance between neighbouring values, in values.
    pub(super) strides: Vec<usize>,
}

impl PickledTensor<'_> {
    /// Whether the tensor is a matrix that is contiguous in column-major order but not in row-major order.
    pub(super) fn is_transposed(&self) -> bool {
        matches!((&self.shape[..], &self.strides[..]), ([rows, _], [1, stride]) if rows == stride)
            && !self.is_dense()
    }

    /// Whether the values are contiguous in row-major order.
    pub(super) fn is_dense(&self) -> bool {
        let mut step = 1_usize;
        let dimensions = self.shape.iter().zip(&self.strides).rev();
        self.shape.len() == self.strides.len()
            && dimensions.into_iter().all(|(size, stride)| {
                let dense = *size <= 1 || *stride == step;
                step = step.saturating_mul(*size);
                dense
            })
    }
}

/// Maximum length of a name, and maximum number of dimensions.
const LONGEST: usize = 512;
const MOST_DIMENSIONS: usize = 8;
/// Maximum number of values and memo entries. A tensor needs about twenty of them, so this is enough for
/// 200,000 tensors.
const MOST_VALUES: usize = 4 << 20;

/// Index of a value in the list of all values.
type Id = usize;

#[derive(Debug)]
enum Value<'a> {
    /// A value that is not part of a tensor, such as None or a float.
    Nothing,
    Int(i64),
    Text(&'a str),
    /// The name of a class or function: its module, and its name in the module.
    Name(&'a str, &'a str),
    Items(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Call(Id, Id),
    Persistent(Id),
    Mark,
}

/// Calls `each` with every tensor of a pickled state dict and its name. This function does not return a list,
/// because a pickle can refer to one value any number of times, so that a list could be far larger than the
/// pickle.
///
/// # Errors
/// Returns the reason why the pickle cannot be read, or the error of `each`.
pub(super) fn tensors(
    bytes: &[u8],
    mut each: impl FnMut(&str, &PickledTensor<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut machine = Machine { bytes, at: 0, values: vec![], stack: vec![], memo: HashMap::new() };
    let top = machine.run()?;
    let Some(mut dict) = machine.dict(top) else {
        return Err("its pickle is not a dictionary of tensors".into());
    };
    // Training tools store the state dict under this key.
    let nested = dict.iter().find(|(key, _)| machine.text(*key) == Some("state_dict"));
    if let Some(inner) = nested.and_then(|(_, value)| machine.dict(*value)) {
        dict = inner;
    }
    let mut seen = HashSet::new();
    for (key, value) in dict {
        let Some((name, tensor)) = machine.text(*key).zip(machine.tensor(*value)) else { continue };
        if !seen.insert(name) {
            return Err(format!("its pickle has the tensor `{name}` twice"));
        }
        each(name, &tensor)?;
    }
    Ok(())
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    memo: HashMap<u64, Id>,
}

impl<'a> Machine<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let taken = self.bytes[self.at..].get(..n).ok_or("its pickle is truncated")?;
        self.at += n;
        Ok(taken)
    }

    /// An unsigned little-endian number of `n` bytes.
    fn number(&mut self, n: usize) -> Result<u64, String> {
        Ok(self.take(n)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Reads a number of `width` bytes, which is the length of a string, then reads the string and pushes it.
    /// A string that is not UTF-8 cannot be a name, so its value is discarded.
    fn push_text(&mut self, width: usize) -> Result<(), String> {
        let n = self.number(width)? as usize;
        let text = std::str::from_utf8(self.take(n)?);
        self.push(text.map_or(Value::Nothing, Value::Text))
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("its pickle is truncated")?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| "its pickle has a name that is not UTF-8".into())
    }

    fn has_room(&self) -> Result<(), String> {
        if self.values.len() + self.memo.len() < MOST_VALUES {
            return Ok(());
        }
        Err(format!("its pickle has more than {MOST_VALUES} values"))
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), String> {
        self.has_room()?;
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, String> {
        self.stack.pop().ok_or_else(|| "its pickle pops from an empty stack".into())
    }

    fn last(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(|| "its pickle pops from an empty stack".into())
    }

    /// Pops the values that were pushed after the last mark, and the mark.
    fn since_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.stack.iter().rposition(|id| matches!(self.values[*id], Value::Mark));
        let items = self.stack.split_off(mark.ok_or("its pickle needs a mark that is missing")? + 1);
        self.stack.pop();
        Ok(items)
    }

    fn pop_items(&mut self, n: usize) -> Result<(), String> {
        let start = self.stack.len().checked_sub(n).ok_or("its pickle pops from an empty stack")?;
        let items = self.stack.split_off(start);
        self.push(Value::Items(items))
    }

    fn set(&mut self, items: &[Id]) -> Result<(), String> {
        let dict = self.last()?;
        if let Value::Dict(dict) = &mut self.values[dict] {
            dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
        Ok(())
    }

    fn remember(&mut self, key: u64) -> Result<(), String> {
        self.has_room()?;
        let last = self.last()?;
        self.memo.insert(key, last);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<(), String> {
        let id = self.memo.get(&key).ok_or("its pickle reads an unset memo entry")?;
        self.stack.push(*id);
        Ok(())
    }

    fn call(&mut self) -> Result<(), String> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let is_dict = self.name(function) == Some(("collections", "OrderedDict"));
        self.push(if is_dict { Value::Dict(vec![]) } else { Value::Call(function, arguments) })
    }

    fn run(&mut self) -> Result<Id, String> {
        loop {
            let code = self.take(1)?[0];
            match code {
                b'.' => return self.pop(),
                0x80 => drop(self.take(1)?),
                0x95 => drop(self.take(8)?),
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Value::Name(module, name))?;
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let [module, name] = [module, name].map(|id| self.text(id).unwrap_or_default());
                    self.push(Value::Name(module, name))?;
                }
                b'K' => self.push_int(1)?,
                b'M' => self.push_int(2)?,
                b'J' => {
                    let number = self.number(4)? as u32;
                    self.push(Value::Int(i64::from(number.cast_signed())))?;
                }
                0x8a => {
                    let n = self.number(1)? as usize;
                    self.push_int(n)?;
                }
                b'G' => {
                    self.take(8)?;
                    self.push(Value::Nothing)?;
                }
                b'N' | 0x88 | 0x89 => self.push(Value::Nothing)?,
                b'X' | b'T' | b'B' => self.push_text(4)?,
                0x8c | b'U' | b'C' => self.push_text(1)?,
                b'(' => self.push(Value::Mark)?,
                b'}' => self.push(Value::Dict(vec![]))?,
                b')' | b']' | 0x8f => self.push(Value::Items(vec![]))?,
                b't' | b'l' => {
                    let items = self.since_mark()?;
                    self.push(Value::Items(items))?;
                }
                0x85..=0x87 => self.pop_items(usize::from(code - 0x84))?,
                // No tensor contains a list, so the items of lists are discarded.
                b'a' => drop(self.pop()?),
                b'e' | 0x90 => drop(self.since_mark()?),
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set(&[key, value])?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.set(&items)?;
                }
                b'd' => {
                    let items = self.since_mark()?;
                    self.push(Value::Dict(vec![]))?;
                    self.set(&items)?;
                }
                b'q' => self.number(1).and_then(|key| self.remember(key))?,
                b'r' => self.number(4).and_then(|key| self.remember(key))?,
                0x94 => self.remember(self.memo.len() as u64)?,
                b'h' => self.number(1).and_then(|key| self.recall(key))?,
                b'j' => self.number(4).and_then(|key| self.recall(key))?,
                b'Q' => {
                    let id = self.pop()?;
                    self.push(Value::Persistent(id))?;
                }
                b'R' | 0x81 => self.call()?,
                // The attributes of a state dict do not affect its tensors.
                b'b' | b'0' => drop(self.pop()?),
                other => {
                    return Err(format!(
                        "its pickle uses operation {other:#04x}, which state dicts do not use"
                    ));
                }
            }
        }
    }

    fn push_int(&mut self, n: usize) -> Result<(), String> {
        let bytes = self.take(n)?;
        // A number of more than eight bytes cannot be a count or a size.
        let value =
            (n <= 8).then(|| bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)));
        self.push(value.map_or(Value::Nothing, |value| Value::Int(value.cast_signed())))
    }

    fn name(&self, id: Id) -> Option<(&'a str, &'a str)> {
        if let Value::Name(module, name) = self.values[id] { Some((module, name)) } else { None }
    }

    fn text(&self, id: Id) -> Option<&'a str> {
        match self.values[id] {
            Value::Text(text) if text.len() <= LONGEST => Some(text),
            _ => None,
        }
    }

    fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        if let Value::Dict(dict) = &self.values[id] { Some(dict) } else { None }
    }

    fn items(&self, id: Id) -> Option<&[Id]> {
        if let Value::Items(items) = &self.values[id] { Some(items) } else { None }
    }

    fn count(&self, id: Id) -> Option<usize> {
        if let Value::Int(number) = self.values[id] { usize::try_from(number).ok() } else { None }
    }

    fn counts(&self, id: Id) -> Option<Vec<usize>> {
        let items = self.items(id).filter(|items| items.len() <= MOST_DIMENSIONS)?;
        items.iter().map(|id| self.count(*id)).collect()
    }

    /// The tensor that a call rebuilds, or `None` for any other value.
    fn tensor(&self, id: Id) -> Option<PickledTensor<'_>> {
        let Value::Call(mut function, mut arguments) = self.values[id] else { return None };
        match self.name(function)? {
            // The arguments are (tensor, requires_grad, hooks).
            ("torch._utils", "_rebuild_parameter") => {
                let inner = *self.items(arguments)?.first()?;
                let Value::Call(f, a) = self.values[inner] else { return None };
                (function, arguments) = (f, a);
            }
            // The arguments are (function, type, arguments of the function, state).
            ("torch._tensor", "_rebuild_from_type_v2") => {
                let parts = self.items(arguments)?;
                (function, arguments) = (*parts.first()?, *parts.get(2)?);
            }
            _ => {}
        }
        if self.name(function)? != ("torch._utils", "_rebuild_tensor_v2") {
            return None;
        }
        // The arguments are (storage, offset, size, stride, ...). The storage is ("storage", class, key,
        // location, number of values).
        let &[storage, offset, size, stride, ..] = self.items(arguments)? else { return None };
        let Value::Persistent(storage) = self.values[storage] else { return None };
        let &[_, class, key, ..] = self.items(storage)? else { return None };
        let (_, class) = self.name(class)?;
        Some(PickledTensor {
            storage: Some(class).filter(|class| class.len() <= LONGEST)?,
            key: self.text(key)?,
            offset: self.count(offset)? as u64,
            shape: self.counts(size)?,
            strides: self.counts(stride)?,
        })
    }
}
