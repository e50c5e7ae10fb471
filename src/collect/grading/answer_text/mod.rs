//! Extracts the answer from the text of a model: removes reasoning, tool calls, special tokens and invisible
//! characters.

mod harmony;
mod reasoning;
mod special_tokens;

use std::borrow::Cow;

use super::plain::invisible;

/// The answer in a model's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerText<'a> {
    /// The answer.
    pub text: Cow<'a, str>,
    /// Whether reasoning or a tool call was removed.
    pub has_reasoning: bool,
    /// Whether the text ends within its reasoning, so there is no answer.
    pub ends_in_reasoning: bool,
    /// Whether a special token ended the answer. The answer is then complete even if its text was truncated.
    pub has_ended: bool,
}

impl<'a> AnswerText<'a> {
    /// Extracts the answer from a text.
    pub fn read(text: &'a str) -> Self {
        // If the server dropped the special tokens, the header of the model's turn remains as text.
        let header = text.trim_start().strip_prefix("assistant\n").filter(|rest| !rest.trim().is_empty());
        let text = header.map_or(text, str::trim_start);
        let is_plain =
            |byte: &u8| byte.is_ascii() && !matches!(byte, b'<' | b'[' | b'&' | 0..=8 | 11..=31 | 127);
        if text.bytes().all(|byte| is_plain(&byte))
            && !harmony::may_begin(text)
            && !reasoning::may_begin(text)
        {
            return Self {
                text: Cow::Borrowed(text),
                has_reasoning: false,
                ends_in_reasoning: false,
                has_ended: false,
            };
        }
        let message = harmony::last_message(text);
        let visible = invisible::remove(match message {
            Some(Some(message)) => message,
            Some(None) => return Self::unfinished(),
            None => text,
        });
        let Some(answer) = reasoning::set_aside(&visible) else { return Self::unfinished() };
        let has_reasoning = message.is_some() || answer.len() < visible.len();
        let (answer, has_ended) = special_tokens::remove(&answer);
        Self { text: Cow::Owned(answer), has_reasoning, ends_in_reasoning: false, has_ended }
    }

    /// The result for a text that ends within its reasoning.
    fn unfinished() -> Self {
        Self { text: Cow::Borrowed(""), has_reasoning: true, ends_in_reasoning: true, has_ended: false }
    }
}

#[cfg(test)]
mod tests {
    use super::AnswerText;

    #[test]
    fn reasoning_is_set_aside() {
        for text in [
            "Paris",
            "<think>Rome? No.</think>Paris",
            "<think>\nhm\n</think>\n\nParis",
            "<THINK>hm</THINK> Paris",
            "<think></think>Paris",
            "hm, France.</think>\nParis",
            "<thinking>hm</thinking>Paris",
            "<thought>hm</thought>Paris",
            "<reasoning type=\"long\">hm</reasoning>Paris",
            "<seed:think>hm</seed:think>Paris",
            "[THINK]hm[/THINK]Paris",
            "◁think▷hm◁/think▷Paris",
            "<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|>Paris<|end_of_solution|>",
            "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Paris<|END_RESPONSE|>",
            "<unused94>thought\nhm<unused95>Paris",
            "<|channel>thought\nhm<channel|>Paris<turn|>",
            "<think>one <think> in it</think>Paris",
            "<think>a<think>b</think>c</think>Paris",
            "<think>a</think><think>b</think>Paris",
            "Paris<think>Was that right? Yes.</think>",
            "&lt;think&gt;hm&lt;/think&gt;Paris",
            "<details type=\"reasoning\" done=\"true\">\n<summary>Thought</summary>\n> hm\n</details>\nParis",
            "<|channel|>analysis<|message|>France<|end|><|start|>assistant<|channel|>final<|message|>Paris",
            "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>commentary to=f <|constrain|>\
             json<|message|>{}<|call|><|start|>assistant<|channel|>final <|constrain|>text<|message|>Paris\
             <|return|>",
            "<|channel|>final<|message|>Paris<|return|>",
            "<|start|>assistant<|channel|>final<|message|>Paris<|end|><|start|>user<|message|>And Rome?",
            "analysisWe need the capital.assistantfinalParis",
            "analysiswe need the capital.assistantfinalParis",
            "analysis\nThe capital.\nassistantfinal\nParis",
            "assistantfinalParis",
            "assistant\n\nParis",
            "<longcat_think>Rome?</longcat_think>Paris",
            "<reasoning_content>Rome?</reasoning_content>Paris",
            "<internal_monologue>Rome?</internal_monologue>Paris",
            "<thinking_process>Rome?</thinking_process>\nParis",
            "< think >Rome?</ think >Paris",
            "<cot>Rome?</cot>Paris",
            "<|thought|>Rome?<|/thought|>Paris",
            "<|begin_of_thinking|>Rome?<|end_of_thinking|>Paris",
            "<|reasoning_start|>Rome?<|reasoning_end|>Paris",
            "<|reasoning_thinking_start|>Rome?<|reasoning_thinking_end|>Paris",
            "<｜begin▁of▁thinking｜>Rome?<｜end▁of▁thinking｜>Paris",
            "[BEGIN_THINK]Rome?[END_THINK]Paris",
            "[REASONING]Rome?[/REASONING]Paris",
            "```thinking\nRome?\n```\nParis",
            "```tool_code\nf()\n```\nParis",
            "<|tool▁calls▁begin|>x<|tool▁calls▁end|>Paris",
            "<|tool_call>call:f{}<tool_call|>Paris",
            "<tools>\n{\"name\": \"f\"}\n</tools>Paris",
            "<reason>Rome?</reason>Paris",
            "<think/>Paris",
            "<|inner_prefix|>Rome?<|inner_suffix|>Paris",
            "<ctrl94>thought\nRome?<ctrl95>Paris",
            "Here is my thought process: Rome? Here is my response: Paris",
            "Here are my reasoning steps:\nRome?\n[BEGIN FINAL RESPONSE]\nParis\n[END FINAL RESPONSE]",
            "Rome?\n[BEGIN FINAL RESPONSE]\nParis\n[END FINAL RESPONSE]",
            "<|tool_call_start|>[f(x=1)]<|tool_call_end|>Paris",
            "<function=find>{\"q\":1}</function>Paris",
            "<minimax:tool_call><invoke name=\"f\"></invoke></minimax:tool_call>Paris",
            "<|action_start|><|plugin|>{}<|action_end|>Paris",
            "<tool_call>{\"name\": \"find\", \"arguments\": {}}</tool_call>Paris",
            "<function_calls><invoke name=\"f\"></invoke></function_calls>Paris",
            "<|tool_calls_section_begin|>x<|tool_calls_section_end|>Paris",
        ] {
            let read = AnswerText::read(text);
            assert_eq!((read.text.trim(), read.ends_in_reasoning), ("Paris", false), "{text}");
        }
    }

    #[test]
    fn an_answer_that_ends_inside_its_reasoning_is_none() {
        for text in [
            "<think>",
            "<think>The capital is Paris",
            "<think>a</think><think>The capital is Paris",
            "Paris <thinking>or",
            "[THINK]Paris",
            "[REASONING]Paris",
            "<|reasoning_start|>Paris",
            "```thinking\nParis",
            "<|channel|>analysis<|message|>It is Paris",
            "<|channel|>analysis<|message|>It is Paris<|end|><|start|>assistant<|channel|>final",
            "<|channel|>analysis<|message|>It is Paris<|end|><|start|>assistant",
            "analysisWe need the capital: Paris",
            "<|START_THINKING|>Paris",
            "<seed:think>Paris",
            "<longcat_think>Paris",
            "<|inner_prefix|>Paris",
            "analysiswe need the capital: Paris",
            "Here are my reasoning steps:\nParis",
            "Here is my thought process: Paris",
        ] {
            let read = AnswerText::read(text);
            assert!(read.ends_in_reasoning && read.text.is_empty(), "{text}");
        }
    }

    #[test]
    fn special_tokens_are_no_text_and_end_the_answer() {
        for (text, has_ended) in [
            ("Paris</s>", true),
            ("Paris<|im_end|>", true),
            ("Paris<|eot_id|>", true),
            ("Paris<end_of_turn>\n<start_of_turn>user\nAnd Rome?", true),
            ("Paris<|im_end|>\n<|im_start|>user\nAnd Rome?", true),
            ("Paris<|endoftext|>Rome", true),
            ("Paris<｜end▁of▁sentence｜>", true),
            ("Paris<|END_OF_TURN_TOKEN|>", true),
            ("Paris[EOS]", true),
            ("Paris [/INST]", true),
            ("<s>Paris", false),
            ("<|im_start|>assistant\nParis", false),
            ("<|start_header_id|>assistant<|end_header_id|>\n\nParis", false),
            ("<start_of_turn>model\nParis", false),
            ("<bos>Paris", false),
            ("<pad><pad>Paris", false),
            ("▁Paris", false),
            ("<0x0A>Paris", false),
            ("\u{feff}Paris", false),
            ("Par\u{200b}is", false),
            ("\u{200e}Paris\u{200e}", false),
            ("Pa\u{ad}ris\u{0}", false),
        ] {
            let read = AnswerText::read(text);
            assert_eq!((read.text.trim(), read.has_ended), ("Paris", has_ended), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_mark_stays() {
        for text in [
            "a < b and b > c",
            "List<String>",
            "[1, 2]",
            "<answer>Paris</answer>",
            "think about it",
            "Use <think> tags",
            "assistant",
            "analysis",
            "analysis of variance",
            "x[0]",
            "I think </ is a mark",
            "```text\nParis\n```",
            "i < thought and j > k",
        ] {
            let read = AnswerText::read(text);
            assert_eq!((read.text.as_ref(), read.ends_in_reasoning), (text, false));
        }
    }
}
