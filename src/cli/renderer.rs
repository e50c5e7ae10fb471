//! Renders chat templates in a separate process, which another surmise process starts and can end.

use crate::model::chat;

/// If the only argument is `chat::ARGUMENT`, renders templates until stdin is closed and then ends the
/// process. The argument is not a command, because users do not need it and the process starts sooner without
/// parsing the command line.
pub fn render_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|argument| argument == chat::ARGUMENT) && arguments.next().is_none() {
        chat::work();
    }
}
