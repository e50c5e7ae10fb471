//! Opens the files that others name. A pipe or a device is refused, and not waited for.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Opens a file for reading.
///
/// # Errors
/// If it is a folder, a device or a pipe, or cannot be opened.
pub fn open(path: impl AsRef<Path>) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    opened(path.as_ref(), &mut options, false)
}

/// The bytes of a file.
///
/// # Errors
/// As [`open`].
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// As [`open`]; if it is not UTF-8.
pub fn read_text(path: impl AsRef<Path>) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

/// Opens a file that surmise keeps under this name, with the options that are set. A symbolic link is
/// refused: whoever can write to the folder could lead it to any file of the user.
///
/// # Errors
/// If it is a link, a folder, a device or a pipe, or cannot be opened.
pub fn open_own(path: &Path, options: &mut OpenOptions) -> Result<File> {
    opened(path, options, true)
}

#[cfg(unix)]
fn opened(path: &Path, options: &mut OpenOptions, is_own: bool) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;
    use rustix::io::Errno;

    // A pipe without a writer is then opened at once.
    let flags = OFlags::NONBLOCK | if is_own { OFlags::NOFOLLOW } else { OFlags::empty() };
    let file = options.custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
        match error.raw_os_error() {
            Some(code) if is_own && code == Errno::LOOP.raw_os_error() => {
                Error::new(ErrorKind::InvalidInput, "it is a symbolic link; remove the link")
            }
            // What a pipe without a reader says, and a device that is not there.
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

/// Checks that a path is a file of its own: a pipe would be waited for without end when read, and a device
/// replaced when written.
///
/// # Errors
/// If it is a folder, a device or a pipe, or is not there.
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
