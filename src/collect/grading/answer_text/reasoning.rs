//! Reasoning and tool calls in a text, by the marks of chat templates.

use std::sync::LazyLock;

use regex::Regex;

/// Marks with names: `<think>`, `</think>`.
const NAMES: &str = "reason|think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis|\
                     antthinking|inner_monologue|inner_thoughts|chain_of_thought|thought_process";
/// Tool calls with names.
const TOOLS: &str =
    "tool_call|tool_calls|tool_use|tool_response|function|function_call|function_calls|invoke";
/// What models put before a name: `<seed:think>`, `<longcat_think>`.
const PREFIX: &str = "(?:[a-z0-9]{1,24}[_:])?";
/// Opening marks of reasoning that are no tags.
const OPENING: &str = concat!(
    r"\[THINK\]|\x{25c1}think\x{25b7}|<\|begin_of_thought\|>|<\|START_THINKING\|>|<unused94>|",
    r"<\|channel>thought|<\|thinking\|>|<\|think\|>|<details\s+type=.reasoning.[^<>]{0,200}>|",
    r"<\|inner_prefix\|>|<ctrl94>",
);
/// Closing marks of reasoning that are no tags.
const CLOSING: &str = concat!(
    r"\[/THINK\]|\x{25c1}/think\x{25b7}|<\|end_of_thought\|>|<\|END_THINKING\|>|<unused95>|",
    r"<channel\|>|<\|/thinking\|>|<\|/think\|>|</details>|",
    r"<\|inner_suffix\|>|<ctrl95>|\[BEGIN FINAL RESPONSE\]",
);
/// Opening and closing marks of tool calls that are no tags.
const TOOL_OPENING: &str = concat!(
    r"\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_calls_section_begin\|>|",
    r"<\|tool_call\|>|<\|tool_call_start\|>|<\|action_start\|>|",
    r"<\x{ff5c}tool\x{2581}calls\x{2581}begin\x{ff5c}>",
);
const TOOL_CLOSING: &str = concat!(
    r"<\|tool_calls_section_end\|>|<\|tool_call_end\|>|<\|action_end\|>|",
    r"<\x{ff5c}tool\x{2581}calls\x{2581}end\x{ff5c}>",
);
/// Marks that are removed and change nothing else.
const EMPTY: &str = r"\[END FINAL RESPONSE\]";
/// Sentences with which models without marks begin their reasoning, and those that end it.
const SENTENCES: [(&str, &str); 2] = [
    ("Here is my thought process:", "Here is my response:"),
    ("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
];

static MARKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = format!(
        "(?i)(?:<|&lt;)/?{PREFIX}(?:{NAMES})(?:\\s[^<>\\n]{{0,200}})?/?(?:>|&gt;)|{OPENING}|{CLOSING}|\
         </?{PREFIX}(?:{TOOLS})(?:[\\s=][^<>\\n]{{0,200}})?>|{TOOL_OPENING}|{TOOL_CLOSING}|{EMPTY}"
    );
    Regex::new(&pattern).ok()
});

/// What a text is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Answer,
    Reasoning,
    ToolCall,
}

/// What a mark does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Open,
    Close,
    Call,
    Called,
    Nothing,
}

impl Mark {
    fn of(mark: &str) -> Self {
        let mark = mark.to_ascii_lowercase();
        if mark.ends_with("/>") || mark.starts_with("[end") {
            return Self::Nothing;
        }
        let is_tool =
            ["tool", "function", "invoke", "python_tag", "action_"].iter().any(|name| mark.contains(name));
        let ends = [
            "</",
            "&lt;/",
            "[/",
            "\u{25c1}/",
            "|/",
            "end_of",
            "end_think",
            "unused95",
            "ctrl95",
            "inner_suffix",
            "[begin",
            "<channel|",
            "_end|",
            "end\u{ff5c}",
        ];
        match (is_tool, ends.iter().any(|end| mark.contains(end))) {
            (false, false) => Self::Open,
            (false, true) => Self::Close,
            (true, false) => Self::Call,
            (true, true) => Self::Called,
        }
    }
}

/// Whether a text without marks begins with its reasoning.
pub(super) fn may_begin(text: &str) -> bool {
    SENTENCES.iter().any(|(begin, _)| text.trim_start().starts_with(begin))
}

/// The text without its reasoning and tool calls; `None` if it ends inside its reasoning. What comes before a
/// closing mark without an opening one is reasoning, because templates open it in the prompt.
pub(super) fn set_aside(text: &str) -> Option<String> {
    for (begin, end) in SENTENCES {
        if text.trim_start().starts_with(begin) {
            return text.split_once(end).map(|(_, answer)| answer.replace("[END FINAL RESPONSE]", ""));
        }
    }
    let can_begin = text.contains(['<', '[', '\u{25c1}']) || text.contains("&lt;");
    let Some(marks) = MARKS.as_ref().filter(|_| can_begin) else { return Some(text.to_owned()) };
    let (mut answer, mut inside, mut from) = (String::with_capacity(text.len()), Inside::Answer, 0);
    for mark in marks.find_iter(text) {
        let (before, mark_kind) = (&text[from..mark.start()], Mark::of(mark.as_str()));
        let is = |kind: Mark| mark_kind == kind;
        match inside {
            Inside::Answer if is(Mark::Open) && is_mention(&text[..mark.start()], &text[mark.end()..]) => {
                continue;
            }
            // Tags of folded sections close what is no reasoning, too.
            Inside::Answer if is(Mark::Close) && mark.as_str().eq_ignore_ascii_case("</details>") => continue,
            Inside::Answer if is(Mark::Close) => answer.clear(),
            Inside::Answer if is(Mark::Open) => {
                answer.push_str(before);
                inside = Inside::Reasoning;
            }
            Inside::Answer if is(Mark::Call) => {
                answer.push_str(before);
                inside = Inside::ToolCall;
            }
            // The end of a call inside a call.
            Inside::Answer => answer.push_str(before),
            Inside::Reasoning if is(Mark::Close) => inside = Inside::Answer,
            Inside::ToolCall if is(Mark::Called) => inside = Inside::Answer,
            Inside::Reasoning | Inside::ToolCall => continue,
        }
        from = mark.end();
    }
    match inside {
        Inside::Answer => answer.push_str(&text[from..]),
        Inside::Reasoning => return None,
        Inside::ToolCall => {}
    }
    Some(answer)
}

/// Whether a text names a mark inside a sentence: "Use <think> tags".
fn is_mention(before: &str, after: &str) -> bool {
    let is_quoted = before.ends_with('`') && after.starts_with('`');
    let is_word = before.strip_suffix(' ').is_some_and(|before| before.ends_with(char::is_alphanumeric));
    is_quoted || is_word && after.strip_prefix(' ').is_some_and(|after| after.starts_with(char::is_lowercase))
}
