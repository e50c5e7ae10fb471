//! Opens files. Pipes and devices are errors, because reading from them could block.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{BufRead, Error, ErrorKind, Read, Result};
use std::path::Path;

/// Maximum size in bytes of a file that is read into memory at once; only arrays may be larger.
const LARGEST: u64 = 4 << 30;
/// Maximum number of bytes to keep of one line.
const LONGEST_LINE: usize = 256 << 20;

/// Opens a file for reading.
///
/// # Errors
/// An error if the path is a folder, a device or a pipe, or cannot be opened.
pub fn open(path: impl AsRef<Path>) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    opened(path.as_ref(), &mut options, false)
}

/// Reads the bytes of a file.
///
/// # Errors
/// Returns the errors of [`open`], and an error for a file larger than 4 GiB.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    read_within(LARGEST, path)
}

/// Reads the bytes of a file of at most `most` bytes.
///
/// # Errors
/// Returns the errors of [`open`], and an error for a larger file.
pub fn read_within(most: u64, path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let file = open(path)?;
    check_within(most, &file)?;
    let mut bytes = vec![];
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Checks that a file has at most 4 GiB, the limit for reading a file into memory at once.
///
/// # Errors
/// [`ErrorKind::FileTooLarge`] for a larger file.
pub fn check_size(file: &File) -> Result<()> {
    check_within(LARGEST, file)
}

fn check_within(most: u64, file: &File) -> Result<()> {
    let n_bytes = file.metadata()?.len();
    if n_bytes <= most {
        return Ok(());
    }
    let reason = format!("the file has {n_bytes} bytes, but the limit is {most} bytes; give a smaller file");
    Err(Error::new(ErrorKind::FileTooLarge, reason))
}

/// Appends the next line to `bytes`, including its line feed, and returns the length of the line; 0 at the
/// end of the file. If the line is longer than 256 MiB, only its first 256 MiB and its line feed are
/// appended.
///
/// # Errors
/// Returns the errors of the reader.
pub fn read_line(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> Result<u64> {
    read_line_within(LONGEST_LINE, reader, bytes)
}

fn read_line_within(most: usize, reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> Result<u64> {
    let mut length = 0;
    loop {
        let there = match reader.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            there => there?,
        };
        let end = there.iter().position(|byte| *byte == b'\n');
        let n = end.map_or(there.len(), |end| end + 1);
        let kept = n.min(most.saturating_sub(bytes.len()));
        bytes.extend_from_slice(&there[..kept]);
        let is_over = end.is_some() || n == 0;
        if end.is_some() && kept < n {
            bytes.push(b'\n');
        }
        reader.consume(n);
        length += n as u64;
        if is_over {
            return Ok(length);
        }
    }
}

/// Reads the text of a file.
///
/// # Errors
/// Returns the errors of [`read`], and an error for a file that is not UTF-8.
pub fn read_text(path: impl AsRef<Path>) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

/// Opens a file that surmise itself manages, with the given options. A symbolic link is an error, because
/// another user with write access to the folder could point it at any file.
///
/// # Errors
/// An error if the path is a symbolic link, a folder, a device or a pipe, or cannot be opened.
pub fn open_own(path: &Path, options: &mut OpenOptions) -> Result<File> {
    opened(path, options, true)
}

#[cfg(unix)]
fn opened(path: &Path, options: &mut OpenOptions, is_own: bool) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;
    use rustix::io::Errno;

    // With NONBLOCK, opening a pipe without a writer does not block.
    let flags = OFlags::NONBLOCK | if is_own { OFlags::NOFOLLOW } else { OFlags::empty() };
    let file = options.custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
        match error.raw_os_error() {
            Some(code) if is_own && code == Errno::LOOP.raw_os_error() => {
                Error::new(ErrorKind::InvalidInput, "it is a symbolic link; remove the link")
            }
            // The system returns ENXIO for a pipe without a reader and for a missing device.
            Some(code) if code == Errno::NXIO.raw_os_error() => not_a_file(),
            _ => error,
        }
    })?;
    check(&file.metadata()?)?;
    Ok(file)
}

#[cfg(not(unix))]
fn opened(path: &Path, options: &mut OpenOptions, is_own: bool) -> Result<File> {
    if is_own && std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(Error::new(ErrorKind::InvalidInput, "it is a symbolic link; remove the link"));
    }
    let file = options.open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// Checks that a path is a regular file. Reading a pipe could block forever, and writing a file to the path
/// of a device would replace the device.
///
/// # Errors
/// An error if the path is a folder, a device or a pipe, or does not exist.
pub fn is_regular(path: &Path) -> Result<()> {
    check(&std::fs::metadata(path)?)
}

fn check(metadata: &Metadata) -> Result<()> {
    match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => Ok(()),
        (_, true) => Err(ErrorKind::IsADirectory.into()),
        _ => Err(not_a_file()),
    }
}

fn not_a_file() -> Error {
    Error::new(ErrorKind::InvalidInput, "it is a device or a pipe, not a file")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_where_others_name_a_file_and_refused_where_the_file_is_our_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "text").expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        assert_eq!(read_text(&link).expect("the text"), "text");
        let refused = open_own(&link, OpenOptions::new().create(true).write(true)).expect_err("a refusal");
        assert!(refused.to_string().contains("symbolic link"), "{refused}");
        assert!(open_own(&file, OpenOptions::new().read(true)).is_ok());
    }

    #[test]
    fn of_a_line_that_is_too_long_the_beginning_is_kept() {
        let mut reader = std::io::BufReader::with_capacity(3, &b"ab\nabcdefghi\n\nabcdefgh"[..]);
        for (length, kept) in [(3, &b"ab\n"[..]), (10, b"abcde\n"), (1, b"\n"), (8, b"abcde"), (0, b"")] {
            let mut bytes = vec![];
            assert_eq!(read_line_within(5, &mut reader, &mut bytes).expect("a line"), length);
            assert_eq!(bytes, kept);
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large");
        // The file is sparse, so it takes no disk space.
        File::create(&path).and_then(|file| file.set_len(LARGEST + 1)).expect("a file");
        assert_eq!(read(&path).expect_err("a refusal").kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        for path in [pipe.as_path(), Path::new("/dev/zero"), Path::new("/dev/null")] {
            let refused = read(path).expect_err("a refusal");
            assert!(refused.to_string().contains("a device or a pipe"), "{refused}");
            let refused = open_own(path, OpenOptions::new().write(true)).expect_err("a refusal");
            assert!(refused.to_string().contains("a device or a pipe"), "{refused}");
        }
        assert_eq!(read(folder.path()).expect_err("a folder").kind(), ErrorKind::IsADirectory);
    }
}
