//! Removes reasoning and tool calls from a text, by the marks of chat templates.

use std::sync::LazyLock;

use regex::Regex;

/// Names in tags of reasoning: `<think>`, `</think>`.
const NAMES: &str = "reason|think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis|\
                     antthinking|monologue|inner_thoughts|chain_of_thought|cot|rationale";
/// Suffixes of these names: `<reasoning_content>`, `<thinking_process>`.
const SUFFIX: &str = "(?:[_-](?:content|process|block|text|steps?|log|trace))?";
/// Names in tags of tool calls.
const TOOLS: &str =
    "tools|tool_call|tool_calls|tool_use|tool_response|function|function_call|function_calls|invoke";
/// Prefixes of these names: `<seed:think>`, `<longcat_think>`.
const PREFIX: &str = "(?:[a-z0-9]{1,24}[_:])?";
/// Opening marks of reasoning that are not plain tags.
const OPENING: &str = concat!(
    r"\x{25c1}think\x{25b7}|<unused94>|<\|channel>thought|<details\s+type=.reasoning.[^<>]{0,200}>|",
    r"<\|inner_prefix\|>|<ctrl94>",
);
/// Opening and closing marks in brackets or bars: `[THINK]`, `<|START_THINKING|>`, `<|think_end|>`,
/// `<|/thought|>`.
const BARRED: &str = concat!(
    r"\[/?(?:(?:BEGIN|START|END)_)?(?:THINK|THINKING|REASONING|THOUGHT)\]|",
    r"<[|\x{ff5c}]/?(?:(?:begin|start|end)[_\x{2581}](?:of[_\x{2581}])?)?(?:[a-z]{1,16}_)?",
    r"(?:think|thinking|thought|thoughts|reasoning|reflection)(?:_(?:begin|start|end))?[|\x{ff5c}]>",
);
/// Closing marks of reasoning that are not plain tags.
const CLOSING: &str = concat!(
    r"\x{25c1}/think\x{25b7}|<unused95>|<channel\|>|</details>|<\|inner_suffix\|>|<ctrl95>|",
    r"\[BEGIN FINAL RESPONSE\]",
);
/// Opening marks of tool calls that are not plain tags; the closing marks follow.
const TOOL_OPENING: &str = concat!(
    r"\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_call\|?>|<\|action_start\|>|",
    r"<[|\x{ff5c}]tool[_\x{2581}]calls?[_\x{2581}](?:section_)?(?:begin|start)[|\x{ff5c}]>",
);
const TOOL_CLOSING: &str = concat!(
    r"<tool_call\|>|<\|action_end\|>|",
    r"<[|\x{ff5c}]tool[_\x{2581}]calls?[_\x{2581}](?:section_)?end[|\x{ff5c}]>",
);
/// Marks that are removed without any other effect.
const EMPTY: &str = r"\[END FINAL RESPONSE\]";
/// Sentences that begin and end reasoning in the output of models without marks.
const SENTENCES: [(&str, &str); 2] = [
    ("Here is my thought process:", "Here is my response:"),
    ("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
];

static MARKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = format!(
        "(?i)(?:<|&lt;)\\s?/?\\s?{PREFIX}(?:{NAMES}){SUFFIX}(?:\\s[^<>\\n]{{0,200}})?/?(?:>|&gt;)|\
         {OPENING}|{CLOSING}|{BARRED}|\
         </?{PREFIX}(?:{TOOLS})(?:[\\s=][^<>\\n]{{0,200}})?>|{TOOL_OPENING}|{TOOL_CLOSING}|{EMPTY}"
    );
    Regex::new(&pattern).ok()
});

/// The kind of text at the current position.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Answer,
    Reasoning,
    ToolCall,
}

/// The effect of a mark.
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
        if mark.ends_with("/>") || mark.starts_with("[end final") {
            return Self::Nothing;
        }
        let is_tool =
            ["tool", "function", "invoke", "python_tag", "action_"].iter().any(|name| mark.contains(name));
        let ends = [
            "</",
            "< /",
            "&lt;/",
            "[/",
            "[end_",
            "\u{25c1}/",
            "|/",
            "\u{ff5c}/",
            "|end",
            "\u{ff5c}end",
            "\u{2581}end",
            "<tool_call|",
            "unused95",
            "ctrl95",
            "inner_suffix",
            "[begin final",
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

/// Whether a text without marks may begin with reasoning.
pub(super) fn may_begin(text: &str) -> bool {
    let text = text.trim_start();
    SENTENCES.iter().any(|(begin, _)| text.starts_with(begin)) || text.starts_with("```")
}

/// Removes code blocks with reasoning or a tool call at the beginning of a text. Returns `None` if the text
/// ends within reasoning.
fn without_fences(text: &str) -> Option<&str> {
    const REASONING: [&str; 5] = ["thinking", "think", "thought", "thoughts", "reasoning"];
    const TOOLS: [&str; 3] = ["tool_code", "tool_call", "tool_outputs"];
    let mut rest = text;
    while let Some((name, block)) = rest.trim_start().strip_prefix("```").and_then(|b| b.split_once('\n')) {
        let (is_reasoning, is_tool) = (REASONING.contains(&name.trim()), TOOLS.contains(&name.trim()));
        if !is_reasoning && !is_tool {
            break;
        }
        match block.split_once("```") {
            Some((_, behind)) => rest = behind,
            None if is_reasoning => return None,
            None => return Some(""),
        }
    }
    Some(rest)
}

/// Removes the reasoning and tool calls of a text. Returns `None` if the text ends within its reasoning. If a
/// closing mark has no opening mark, the text before the closing mark is reasoning, because some templates
/// put the opening mark into the prompt.
pub(super) fn set_aside(text: &str) -> Option<String> {
    for (begin, end) in SENTENCES {
        if text.trim_start().starts_with(begin) {
            return text.split_once(end).map(|(_, answer)| answer.replace("[END FINAL RESPONSE]", ""));
        }
    }
    let text = without_fences(text)?;
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
            // Collapsible sections without reasoning have this closing tag, too.
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
            // The mark ends a nested tool call, or has no effect.
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

/// Whether a mark is only mentioned within a sentence: "Use <think> tags".
fn is_mention(before: &str, after: &str) -> bool {
    let is_quoted = before.ends_with('`') && after.starts_with('`');
    let is_word = before.strip_suffix(' ').is_some_and(|before| before.ends_with(char::is_alphanumeric));
    is_quoted || is_word && after.strip_prefix(' ').is_some_and(|after| after.starts_with(char::is_lowercase))
}
