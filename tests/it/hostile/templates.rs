//! Tests chat templates that nest, loop or grow without end: `serve` refuses the chat or the template, and
//! continues to serve.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::bounded::{command, run};
use crate::serve::server::{CHAT, COMPLETIONS, Serving};

/// Templates that would exhaust the stack or the memory, or take hours.
const BOMBS: [&str; 26] = [
    // These exhaust the stack.
    "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
    "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns|tojson }}",
    "{% set ns = namespace() %}{% set ns.x = ns %}{% set m = namespace() %}{% set m.x = m %}{{ ns == m }}",
    "{% set ns = namespace() %}{% set ns.x = [ns] %}{% set m = namespace() %}{% set m.x = [m] %}\
     {{ ns.x == m.x }}",
    "{% set ns = namespace() %}{% set ns.x = [ns] %}{% set m = namespace() %}{% set m.x = [m] %}\
     {{ ns in m.x }}",
    "{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns.x|sort }}{{ ns.x|unique }}{{ ns.x|string }}",
    "{% set ns = namespace() %}{% set ns.x = [ns] %}{{ {ns.x: 1} }}",
    "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = [ns.x] %}{% endfor %}hi",
    "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = {'a':ns.x} %}{% endfor %}hi",
    // These exhaust the memory.
    "{{ [1,[2,[3]]]|tojson(indent=9000000000) }}",
    "{{ '{:>9000000000}'.format(1) }}",
    "{{ '{:.4000000000f}'.format(1.5) }}",
    "{% set ns=namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x|chain(ns.x) %}{% endfor %}\
     {{ ns.x|length }}",
    "{% set ns=namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x+ns.x %}{% endfor %}\
     {{ ns.x|length }}",
    // These take hours.
    "{% set ns=namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x,ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns=namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x,ns.x] %}{% endfor %}\
     {{ ns.x|tojson }}",
    "{% set ns=namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x,ns.x] %}{% endfor %}\
     {{ ns.x|join('a') }}",
    "{% set ns=namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x,ns.x] %}{% endfor %}\
     {{ debug() }}",
    "{% set ns=namespace(x=[1],y=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x,ns.x] %}\
     {% set ns.y = [ns.y,ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
    "{% set ns=namespace(x=[1],y=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x,ns.x] %}\
     {% set ns.y = [ns.y,ns.y] %}{% endfor %}{{ [ns.x,ns.y]|sort|length }}",
    "{% set ns=namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x,ns.x] %}{% endfor %}\
     {{ raise_exception(ns.x|string) }}",
    "{% set s='a'*60000000 %}{% for i in range(99999) %}{% set x = s[50000000] %}{% endfor %}",
    "{% set s='\u{e9}'*30000000 %}{% for i in range(90000) %}{% set x = s[-1] %}{% endfor %}",
    "{% set s='A'*60000000 %}{% for i in range(99999) %}{% set x = s is upper %}{% endfor %}",
    "{% set s=range(99999)|list %}{% for i in range(99999) %}{% set x = s.count(-1) %}{% endfor %}",
    "{% set s=range(99999)|list %}{% for i in range(9999) %}{% set x = s|unique %}{% endfor %}",
];
/// A template that takes hours if the message is `stuck`. For any other message, it gives the prompt `red,`.
const AT_TIMES_STUCK: &str = "{% set s=range(99999)|list %}{% if messages[0].content == 'stuck' %}\
     {% for i in range(99999) %}{% set x = s.count(-1) %}{% endfor %}{% endif %}red,";
/// A template that takes hours if the message has more than 70,000 characters.
const AT_TIMES_STUCK_IF_LONG: &str = "{% set s=range(99999)|list %}\
     {% if messages[0].content|length > 70000 %}{% for i in range(99999) %}\
     {% set x = s.count(-1) %}{% endfor %}{% endif %}red,";
/// Number of chats that are sent at the same time.
const AT_ONCE: usize = 4;

/// Writes a copy of a model with a chat template.
fn write_model(folder: &Path, from: &Path, template: &str) {
    std::fs::create_dir_all(folder).expect("a folder");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(from.join(file), folder.join(file)).expect("a file");
    }
    let settings = json!({ "chat_template": template }).to_string();
    std::fs::write(folder.join("tokenizer_config.json"), settings).expect("a file");
}

/// A bundled model.
fn bundled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("calibration/minigpt-1")
}

fn model(template: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write_model(folder.path(), &bundled(), template);
    folder
}

/// Starts a server of some models with limited memory. Its time limit for rendering is four seconds, half of
/// `--timeout-s`.
fn serve(folder: &Path, models: &[String]) -> Serving {
    let flags = ["serve", "--port", "0", "--timeout-s", "8", "-q"];
    let arguments: Vec<&str> = flags.into_iter().chain(models.iter().map(String::as_str)).collect();
    Serving::of(command(folder, &arguments))
}

fn chat(server: &Serving, id: &str, content: &str) -> (u16, Value) {
    let messages = json!([{"role": "user", "content": content}]);
    server.ask(CHAT, &json!({"model": id, "messages": messages, "max_tokens": 1}))
}

fn completion(server: &Serving, id: &str) -> u16 {
    server.ask(COMPLETIONS, &json!({"model": id, "prompt": "red,", "max_tokens": 1})).0
}

#[test]
fn a_chat_whose_template_is_a_bomb_is_refused_and_others_are_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let steps = [
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ b }}{% endfor %}{% endfor %}",
        "{{ messages[0].content | indent(10000000000, true) }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    ];
    let bombs: Vec<(String, &str)> =
        BOMBS.iter().chain(&steps).enumerate().map(|(i, template)| (format!("bomb{i}"), *template)).collect();
    let good = ("good".to_owned(), "{% for m in messages %}{{ m.content }}{% endfor %}");
    for (id, template) in bombs.iter().chain([&good]) {
        write_model(&folder.path().join(id), &bundled(), template);
    }
    let models: Vec<String> = bombs.iter().chain([&good]).map(|(id, _)| id.clone()).collect();
    let server = serve(folder.path(), &models);
    for group in bombs.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let server = &server;
            let ask = |(id, template)| (template, scope.spawn(move || chat(server, id, "red")));
            let asked: Vec<_> = group.iter().map(|(id, template)| ask((id, *template))).collect();
            assert_eq!(completion(server, "good"), 200);
            for (template, answered) in asked {
                let (status, answer) = answered.join().expect("an answer");
                // A chat with a template that only builds deep lists may also get an answer, because the
                // stack may be large enough.
                let is_refused = status == 400 && answer.to_string().contains("chat template");
                assert!(
                    is_refused || template.ends_with("hi") && status == 200,
                    "{template}: {status} {answer}"
                );
            }
        });
        let (status, answer) = chat(&server, "good", "red,");
        assert_eq!(status, 200, "{answer}");
    }
}

#[test]
fn a_stuck_template_delays_neither_completions_nor_the_next_chats_for_long() {
    let folder = tempfile::tempdir().expect("a folder");
    write_model(&folder.path().join("model"), &bundled(), AT_TIMES_STUCK);
    let server = serve(folder.path(), &["model".into()]);
    assert_eq!(chat(&server, "model", "red").0, 200);
    for _ in 0..2 {
        std::thread::scope(|scope| {
            let server = &server;
            let stuck: Vec<_> = (0..2).map(|_| scope.spawn(|| chat(server, "model", "stuck"))).collect();
            while !stuck.iter().all(|chat| chat.is_finished()) {
                assert_eq!(completion(server, "model"), 200);
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            for chat in stuck {
                let (status, answer) = chat.join().expect("an answer");
                let answer = answer.to_string();
                assert!(status == 400 && answer.contains("stopped after 4 s"), "{status} {answer}");
            }
        });
        assert_eq!(chat(&server, "model", "red").0, 200);
    }
}

#[test]
fn long_chats_that_are_stuck_delay_no_short_chat_of_the_same_model() {
    let folder = tempfile::tempdir().expect("a folder");
    write_model(&folder.path().join("model"), &bundled(), AT_TIMES_STUCK_IF_LONG);
    let server = serve(folder.path(), &["model".into()]);
    let long = "red, ".repeat(20_000);
    std::thread::scope(|scope| {
        let stuck: Vec<_> = (0..6).map(|_| scope.spawn(|| chat(&server, "model", &long))).collect();
        // Give the long chats time to take all places for requests of their size.
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert_eq!(chat(&server, "model", "red").0, 200);
        assert!(!stuck.iter().any(|chat| chat.is_finished()), "the short chat waited");
        for chat in stuck {
            assert_ne!(chat.join().expect("an answer").0, 200);
        }
    });
}

#[test]
fn a_message_of_a_template_is_short() {
    let folder = model("{{ raise_exception('\u{1b}]0;x\u{7}' ~ 'x' * 5000000) }}");
    let server = serve(folder.path().parent().expect("a folder"), &[folder.path().display().to_string()]);
    let id = server.raw("GET", "/v1/models", "", b"").1;
    let id: Value = serde_json::from_slice(&id).expect("JSON");
    let (status, answer) = chat(&server, id["data"][0]["id"].as_str().expect("an id"), "red");
    let answer = answer.to_string();
    assert!(status == 400 && answer.contains("xxx") && answer.len() < 2000, "{status} {answer:.3000}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_the_system_ended_costs_no_chat() {
    let folder = tempfile::tempdir().expect("a folder");
    write_model(&folder.path().join("model"), &bundled(), "{{ messages[0].content }}");
    let server = serve(folder.path(), &["model".into()]);
    for _ in 0..100 {
        let kill = |pid: u32| std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
        assert!(children(server.child.id()).into_iter().all(|pid| kill(pid).is_ok()));
        let (status, answer) = chat(&server, "model", "red,");
        assert_eq!(status, 200, "{answer}");
    }
}

/// The running child processes of a process.
#[cfg(target_os = "linux")]
fn children(parent: u32) -> Vec<u32> {
    let field = |pid: u32, n: usize| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        status.rsplit_once(") ")?.1.split(' ').nth(n).map(str::to_owned)
    };
    let pids = std::fs::read_dir("/proc").expect("processes").filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        (field(pid, 1)? == parent.to_string() && field(pid, 0)? != "Z").then_some(pid)
    });
    pids.collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_renders_has_no_key_and_ends_with_the_server() {
    use crate::serve::server::KEY;

    let folder = tempfile::tempdir().expect("a folder");
    write_model(&folder.path().join("model"), &bundled(), AT_TIMES_STUCK);
    let server = serve(folder.path(), &["model".into()]);
    let read = |pid: u32, file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let has_key = |pid| String::from_utf8_lossy(&read(pid, "environ")).contains(KEY);
    std::thread::scope(|scope| {
        // This request fails, because the server ends before it answers.
        let stuck = scope.spawn(|| {
            let body = json!({"model": "model", "messages": [{"role": "user", "content": "stuck"}]});
            std::panic::catch_unwind(|| server.ask(CHAT, &body)).is_err()
        });
        std::thread::sleep(std::time::Duration::from_millis(500));
        let pids = children(server.child.id());
        assert!(!pids.is_empty() && has_key(server.child.id()));
        assert!(!pids.iter().any(|pid| has_key(*pid)));
        let killed = std::process::Command::new("kill").args(["-9", &server.child.id().to_string()]).status();
        assert!(killed.expect("kill").success());
        assert!(stuck.join().expect("a chat"));
        let is_running = |pid: &u32| {
            let status = String::from_utf8_lossy(&read(*pid, "stat")).into_owned();
            !read(*pid, "cmdline").is_empty() && !status.contains(") Z ")
        };
        for _ in 0..1000 {
            if !pids.iter().any(is_running) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("{pids:?} still run");
    });
}

#[test]
fn a_measurement_with_a_bomb_ends_with_a_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let table: String = (1..8).map(|i| format!("{i},a{i},{i}b\n")).collect();
    std::fs::write(folder.path().join("table.csv"), format!("entity,a,b\n{table}")).expect("a file");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/llama-gqa");
    let flags = ["measure", ".", "--corpus", "table.csv", "--form", "chat", "--estimand", "semantic"];
    let small = ["--sets", "4", "--queries", "3", "--shots", "1"];
    let measure = |template: &str| {
        write_model(folder.path(), &from, template);
        run(folder.path(), &[&flags[..], &small].concat()).orderly(template)
    };
    let good = measure("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<a>");
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    for template in [BOMBS[0], BOMBS[10], BOMBS[14]] {
        let ended = measure(template);
        assert!(ended.code == Some(1) && ended.stderr.contains("chat template"), "{}", ended.stderr);
    }
}

#[test]
fn a_template_that_nests_without_end_is_refused_at_the_start() {
    for template in [
        format!("{{{{ {}true }}}}", "not ".repeat(100_000)),
        format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(100_000)),
        format!("{}a{}", "{% if a %}".repeat(4000), "{% endif %}".repeat(4000)),
        format!("{{{{ a{} }}}}", "|trim".repeat(100_000)),
        format!("{{{{ [{{'a': {{}}}}, {}1] }}}}", "-".repeat(400_000)),
        format!("{{% raw %}}{{{{ '{{% endraw %}}{{{{ {}1 }}}}", "-".repeat(400_000)),
    ] {
        let folder = model(&template);
        let ended = run(folder.path(), &["serve", ".", "--port", "0"]).orderly(&template[..40]);
        assert!(ended.code == Some(1) && ended.stderr.contains("chat_template"), "{}", ended.stderr);
    }
}
