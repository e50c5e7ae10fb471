//! Parses the wire format of protocol buffers as far as a sentencepiece model needs it. The length of each
//! field is compared with the number of remaining bytes.
//!
//! # References
//! <https://protobuf.dev/programming-guides/encoding/>

/// The value of a field, by its wire type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A whole number or a boolean.
    Varint(u64),
    /// A string, bytes, or a nested message.
    Bytes(&'a [u8]),
    /// A single-precision number, or another four-byte value.
    Fixed32([u8; 4]),
    /// An eight-byte value.
    Fixed64,
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err("a field has a number where a string or a message is expected".into()),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, String> {
        std::str::from_utf8(self.bytes()?).map_err(|_| "a string is not UTF-8".into())
    }

    pub(super) fn float(self) -> Result<f32, String> {
        match self {
            Self::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err("a field is not a single-precision number".into()),
        }
    }

    /// A signed number of 32 bits.
    pub(super) fn int(self) -> Result<i32, String> {
        match self {
            // Negative numbers are encoded with 64 bits.
            Self::Varint(number) => Ok(number as i32),
            _ => Err("a field is not a whole number".into()),
        }
    }

    pub(super) fn flag(self) -> Result<bool, String> {
        self.int().map(|number| number != 0)
    }
}

/// The fields of a message, in order.
///
/// # Errors
/// The reason why the bytes are not a message.
pub(super) fn fields(mut bytes: &[u8]) -> Result<Vec<(u64, Value<'_>)>, String> {
    let mut fields = vec![];
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut bytes)?),
            1 => {
                take(&mut bytes, 8)?;
                Value::Fixed64
            }
            2 => {
                let length = varint(&mut bytes)?;
                let length = usize::try_from(length).map_err(|_| "a length exceeds the size of the file")?;
                Value::Bytes(take(&mut bytes, length)?)
            }
            5 => {
                let four = take(&mut bytes, 4)?;
                Value::Fixed32([four[0], four[1], four[2], four[3]])
            }
            other => return Err(format!("a field has the unknown wire type {other}")),
        };
        fields.push((key >> 3, value));
    }
    Ok(fields)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], String> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or("it is truncated")?;
    *bytes = rest;
    Ok(taken)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number has more than 64 bits".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_every_wire_type_are_read_and_nothing_beyond_the_end() {
        // Field 1 is the varint 300, field 2 is "hi", field 3 is the float 1.5, field 4 has eight bytes.
        let bytes = [
            &[0x08, 0xac, 0x02, 0x12, 0x02][..],
            b"hi",
            &[0x1d, 0, 0, 0xc0, 0x3f, 0x21, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        let read = fields(&bytes).expect("a message");
        assert_eq!(read.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(read[0].1.int(), Ok(300));
        assert_eq!(read[1].1.text(), Ok("hi"));
        assert_eq!(read[2].1.float(), Ok(1.5));
        // Truncation within a value is an error; truncation between two values gives a shorter message.
        let whole: Vec<usize> = vec![0, 3, 7, 12, bytes.len()];
        for end in 0..=bytes.len() {
            assert_eq!(fields(&bytes[..end]).is_ok(), whole.contains(&end), "{end}");
        }
        assert!(fields(&[0x0b]).is_err(), "a group");
        assert!(fields(&[0xff; 12]).is_err(), "a number without end");
        assert!(fields(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).is_err(), "a length");
        // -1 is encoded in ten bytes.
        let minus = [[0x08].as_slice(), &[0xff; 9], &[0x01]].concat();
        assert_eq!(fields(&minus).expect("a message")[0].1.int(), Ok(-1));
    }
}
