//! Renders chat templates as a process of its own, which another surmise process starts and can end.

use crate::model::chat;

/// Renders until stdin is closed and then ends the process, if the arguments ask for it. The argument is not
/// a command: users have no use for it, and such a process starts sooner without the command line.
pub fn render_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|argument| argument == chat::ARGUMENT) && arguments.next().is_none() {
        chat::work();
    }
}
