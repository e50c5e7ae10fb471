//! Task files: which files are read, and which cause an error that names the line, before any request.

use std::path::PathBuf;

use surmise::collect::tasks;
use surmise::collect::tasks::{Rendering, TaskKind, TaskOptions};
use surmise::collect::{Grader, Item, Task};
use surmise::provider::{Prompt, Role};
use surmise::{Error, Result};

fn options() -> TaskOptions {
    TaskOptions { shots: 2, items: 3, seed: 1, rendering: Rendering::Text, grader: Grader::default() }
}

fn load(folder: &tempfile::TempDir, name: &str, bytes: &[u8], grader: &str) -> Result<Task> {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    let mut tasks = tasks::load(
        &[path.to_string_lossy().into_owned()],
        &TaskOptions { grader: grader.parse().expect("a grader"), ..options() },
    )?;
    Ok(tasks.remove(0))
}

fn read(name: &str, bytes: &[u8]) -> Task {
    let folder = tempfile::tempdir().expect("a folder");
    load(&folder, name, bytes, "exact")
        .unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(bytes)))
}

/// All items of a task.
fn items(task: &Task) -> Vec<Item> {
    task.items.iter().collect::<Result<_>>().expect("items")
}

fn text(item: &Item) -> &str {
    match &item.prompts[0] {
        Prompt::Text(text) => text,
        Prompt::Messages(_) => panic!("a chat"),
    }
}

#[test]
fn jsonl_and_csv_give_the_same_items() {
    let jsonl = read(
        "items.jsonl",
        concat!(
            "{\"id\":\"1\",\"prompt\":\"Capital of France?\",\"answer\":\"Paris\"}\n",
            "{\"id\":2,\"prompt\":\"a, \
             \\\"b\\\"\\nc\",\"answers\":[\"x\",\"y\"],\"shots\":1,\"question\":\"q\"}\n",
        )
        .as_bytes(),
    );
    let csv = read(
        "items.csv",
        "id,prompt,answer,answers,shots,question\n1,Capital of France?,Paris,,,\n2,\"a, \
         \"\"b\"\"\nc\",,\"[\"\"x\"\",\"\"y\"\"]\",1,q\n"
            .as_bytes(),
    );
    assert_eq!(items(&jsonl), items(&csv));
    assert_eq!((jsonl.name.as_str(), jsonl.kind), ("items", TaskKind::Graded));
    let second = &items(&jsonl)[1];
    assert_eq!((second.gold.as_slice(), second.shots), (&["x".to_owned(), "y".to_owned()][..], 1));
    assert_eq!((text(second), second.question.as_str()), ("a, \"b\"\nc", "q"));
}

#[test]
fn marks_line_ends_and_blank_lines_of_any_system_are_read() {
    let item = "{\"id\":\"1\",\"prompt\":\"p\",\"answer\":\"a\"}";
    let plain = items(&read("t.jsonl", format!("{item}\n").as_bytes()));
    for bytes in [
        item.to_owned(),
        format!("\u{feff}{item}\r\n"),
        format!("\n\n{item}\r\n\r\n"),
        format!("{item}\n\n\n"),
    ] {
        assert_eq!(items(&read("t.jsonl", bytes.as_bytes())), plain);
    }
    for bytes in [
        "id,prompt,answer\n1,p,a\n",
        "\u{feff}id,prompt,answer\r\n1,p,a\r\n",
        "\u{feff}\"id\",\"prompt\",\"answer\"\r\n1,p,a",
        "answer, id ,prompt\na,1,p\n",
    ] {
        assert_eq!(items(&read("t.csv", bytes.as_bytes())), plain, "{bytes:?}");
    }
}

#[test]
fn prompts_keep_every_byte() {
    let odd = " \u{0}\u{1}\r \u{202e}\u{1f642}\u{2028}\t x ";
    let line = serde_json::json!({"id": "1", "prompt": odd, "answer": "a"}).to_string();
    assert_eq!(text(&items(&read("t.jsonl", line.as_bytes()))[0]), odd);
    let messages = serde_json::json!({"id": "1", "messages": [{"role": "system", "content": "s"},
        {"role": "user", "content": odd}], "answer": "a"});
    let Prompt::Messages(read) =
        &items(&read("t.jsonl", messages.to_string().as_bytes()))[0].prompts[0].clone()
    else {
        panic!("a text")
    };
    assert_eq!((read[0].role, read[1].content.as_str()), (Role::System, odd));
}

#[test]
fn faults_are_reported_with_their_line() {
    let ok = "{\"id\":\"1\",\"prompt\":\"p\",\"answer\":\"a\"}\n";
    let cases: Vec<(&str, Vec<u8>, u64, &str)> = vec![
        ("t.jsonl", format!("{ok}{{\"id\":\"1\",\"prompt\":\"q\",\"answer\":\"a\"}}").into(), 2, "as line 1"),
        ("t.jsonl", format!("{ok}\n{{\"id\":\"2\",\"prompt\":\"q\"}}").into(), 3, "answer"),
        ("t.jsonl", format!("{ok}{{\"id\":\"2\",\"prompt\":\"q\",\"answer\":\"\"}}").into(), 2, "answer"),
        ("t.jsonl", format!("{ok}{{\"id\":\"2\",\"prompt\":\"q\",\"answer\":\"  \"}}").into(), 2, "blank"),
        ("t.jsonl", format!("{ok}{{\"id\":\"2\",\"prompt\":\"q\",\"answers\":[]}}").into(), 2, "answers"),
        (
            "t.jsonl",
            format!("{ok}{{\"id\":\"2\",\"prompt\":\"q\",\"answers\":[\"x\",\" \"]}}").into(),
            2,
            "answers",
        ),
        ("t.jsonl", format!("{ok}{{\"id\":\"2\",\"prompt\":\"q\",\"answer\":{{}}}}").into(), 2, "answer"),
        (
            "t.jsonl",
            format!("{ok}{{\"id\":\"2\",\"prompt\":\"q\",\"answer\":\"a\",\"answers\":[\"b\"]}}").into(),
            2,
            "both",
        ),
        ("t.jsonl", format!("{ok}{{\"id\":\"2\",\"answer\":\"a\"}}").into(), 2, "prompt"),
        ("t.jsonl", format!("{ok}{{\"id\":\"2\",\"prompt\":3,\"answer\":\"a\"}}").into(), 2, "prompt"),
        (
            "t.jsonl",
            format!("{ok}{{\"id\":\"2\",\"prompt\":\"p\",\"messages\":[],\"answer\":\"a\"}}").into(),
            2,
            "both",
        ),
        ("t.jsonl", format!("{ok}{{\"id\":\"2\",\"messages\":[],\"answer\":\"a\"}}").into(), 2, "messages"),
        (
            "t.jsonl",
            format!(
                "{ok}{{\"id\":\"2\",\"messages\":[{{\"role\":\"robot\",\"content\":\"x\"}}],\"answer\":\"a\"\
                 }}"
            )
            .into(),
            2,
            "messages",
        ),
        ("t.jsonl", format!("{ok}{{\"prompt\":\"p\",\"answer\":\"a\"}}").into(), 2, "`id`"),
        ("t.jsonl", format!("{ok}{{\"id\":\" \",\"prompt\":\"p\",\"answer\":\"a\"}}").into(), 2, "`id`"),
        (
            "t.jsonl",
            format!("{ok}{{\"id\":\"2\",\"prompt\":\"p\",\"answer\":\"a\",\"shots\":-1}}").into(),
            2,
            "shots",
        ),
        ("t.jsonl", format!("{ok}{{\"id\":\"2\",").into(), 2, "JSON"),
        ("t.jsonl", format!("{ok}[1]").into(), 2, "not an object"),
        ("t.jsonl", format!("{ok}{{\"id\":\"\\ud800\"}}").into(), 2, "JSON"),
        (
            "t.jsonl",
            [ok.as_bytes(), b"{\"id\":\"2\",\"prompt\":\"caf\xe9\",\"answer\":\"a\"}"].concat(),
            2,
            "UTF-8",
        ),
        ("t.jsonl", b"[{\"id\":1}]".to_vec(), 1, "one object per line"),
        ("t.jsonl", b"".to_vec(), 1, "empty"),
        ("t.jsonl", b"\xef\xbb\xbf \n".to_vec(), 1, "empty"),
        ("t.csv", b"id,prompt,answer\n1,p,a\n2,p\n".to_vec(), 3, "2 fields where the header has 3"),
        ("t.csv", b"id,prompt,answer\n1,p,a\n2,p,a,b\n".to_vec(), 3, "4 fields"),
        ("t.csv", b"id,prompt,answer\r\n1,p,a\r\n2,caf\xe9,a\r\n".to_vec(), 3, "UTF-8"),
        ("t.csv", b"id,prompt,answer\n1,\"two\nlines\",a\n1,p,a\n".to_vec(), 4, "as line 2"),
        ("t.csv", b"id,prompt,answer\n1,p,\n".to_vec(), 2, "answer"),
        ("t.csv", b"id,prompt,prompt\n1,p,q\n".to_vec(), 1, "twice"),
        ("t.csv", b"name,prompt,answer\n1,p,a\n".to_vec(), 1, "`id`"),
        ("t.csv", b"id,prompt,answer\n".to_vec(), 1, "no item"),
        ("t.csv", b"id,prompt,answers\n1,p,x|y\n".to_vec(), 2, "JSON list"),
    ];
    for (name, bytes, line, word) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        match load(&folder, name, &bytes, "exact") {
            Err(Error::Csv { path, line: found, reason }) => {
                assert!(path.ends_with(name));
                assert!(found == line && reason.contains(word), "{shown:?}: line {found}, {reason}");
            }
            other => panic!("{shown:?}: {other:?}"),
        }
    }
}

#[test]
fn choices_are_asked_in_the_form_of_their_grader() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |answer: &str| {
        format!(
            "{{\"id\":\"1\",\"prompt\":\"Capital of France? \
             \",\"answer\":{answer},\"choices\":[\"Rome\",\"Paris\"]}}"
        )
    };
    let of = |answer: &str, grader| load(&folder, "t.jsonl", line(answer).as_bytes(), grader);
    for answer in ["\"Paris\"", "\"B\"", "1"] {
        assert_eq!(items(&of(answer, "letter").expect(answer))[0].gold, ["Paris"]);
    }
    for answer in ["\"Berlin\"", "\"C\"", "2", "-1"] {
        assert!(matches!(of(answer, "exact"), Err(Error::Csv { line: 1, .. })), "{answer}");
    }
    let letter = of("1", "letter").expect("an item");
    assert_eq!(
        text(&items(&letter)[0]),
        "Capital of France?\nA. Rome\nB. Paris\nAnswer with the letter alone.\nAnswer:"
    );
    let each = items(&of("1", "logprob").expect("an item")).remove(0);
    let prompts =
        ["Capital of France? Rome", "Capital of France? Paris"].map(|text| Prompt::Text(text.into()));
    assert_eq!((each.prompts.as_slice(), each.boundary), (&prompts[..], 18));
    // If the choices are letters, the prompt already shows the choices, so none are added.
    let shown =
        "{\"id\":\"1\",\"prompt\":\"A. x\\nB. y\\nAnswer:\",\"answer\":\"B\",\"choices\":[\"A\",\"B\"]}";
    let shown = load(&folder, "t.jsonl", shown.as_bytes(), "letter").expect("an item");
    assert_eq!(text(&items(&shown)[0]), "A. x\nB. y\nAnswer:");
    // If the choices are numbers, a number in `answer` is one of the choices, never an index.
    let numbers = |answer: &str| {
        format!("{{\"id\":\"1\",\"prompt\":\"p\",\"answer\":{answer},\"choices\":[\"1\",\"2\",\"5\"]}}")
    };
    assert_eq!(
        items(&load(&folder, "t.jsonl", numbers("1").as_bytes(), "letter").expect("an item"))[0].gold,
        ["1"]
    );
    assert!(load(&folder, "t.jsonl", numbers("0").as_bytes(), "letter").is_err());
    for (line, word) in [
        ("{\"id\":\"1\",\"prompt\":\"p\",\"answer\":\"a\"}", "choices"),
        ("{\"id\":\"1\",\"prompt\":\"p\",\"answer\":\"a\",\"choices\":[\"a\",\"a\"]}", "twice"),
        (
            "{\"id\":\"1\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"answer\":\"a\",\"choices\"\
             :[\"a\",\"b\"]}",
            "messages",
        ),
    ] {
        let error = load(&folder, "t.jsonl", line.as_bytes(), "logprob").expect_err(line).to_string();
        assert!(error.contains("line 1") && error.contains(word), "{error}");
    }
}

#[test]
fn members_that_are_not_read_are_named() {
    let task = read(
        "t.jsonl",
        b"{\"id\":\"1\",\"prompt\":\"p\",\"answer\":\"a\",\"anwsers\":[\"b\"],\"source\":\"x\"}",
    );
    assert_eq!(task.notes.len(), 1);
    assert!(task.notes[0].contains("anwsers, source"), "{:?}", task.notes);
}

#[test]
fn tasks_have_unique_names_and_ids() {
    let names = |names: &[&str]| {
        tasks::load(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), &options())
    };
    let all = names(&["completion"]).expect("tasks");
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|task| task.items.len() % 9 == 0 && task.stops == [",", "\n"]));
    let all_items = |tasks: &[Task]| tasks.iter().flat_map(items).collect::<Vec<_>>();
    assert_eq!(all_items(&all), all_items(&names(&["completion"]).expect("tasks")));
    assert!(matches!(names(&["countries", "completion"]), Err(Error::Parameter { .. })));
    assert!(matches!(names(&["nothing-of-the-kind"]), Err(Error::Unknown { kind: "task", .. })));
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, "{\"id\":\"1\",\"prompt\":\"p\",\"answer\":\"a\"}").expect("a file");
        path.to_string_lossy().into_owned()
    };
    let error = names(&[&file("a.jsonl"), &file("b.jsonl")]).expect_err("two items of one id").to_string();
    assert!(error.contains("\"1\"") && error.contains("in b"), "{error}");
    let letters = TaskOptions { grader: "letter".parse().expect("a grader"), ..options() };
    assert!(matches!(
        tasks::load(&["cities".into()], &letters),
        Err(Error::Parameter { name: "--grader", .. })
    ));
}

#[test]
fn a_user_category_is_asked_like_the_built_in_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = "\u{feff}entity,capital\nFrance,Paris\nPeru,Lima\nGhana,Accra\nItaly,Rome\n";
    let task = load(&folder, "lands.csv", csv.as_bytes(), "exact").expect("a task");
    assert_eq!((task.name.as_str(), task.items.len()), ("lands", 3 * 3));
    let last = &items(&task)[8];
    assert!(text(last).ends_with(" ->") && last.shots == 2);
    for bad in ["\"Washington, D.C.\"", ""] {
        let csv = format!("entity,capital\nFrance,{bad}\nPeru,{bad}\nGhana,{bad}\n");
        let error = load(&folder, "lands.csv", csv.as_bytes(), "exact").expect_err(bad).to_string();
        assert!(error.contains("column capital"), "{error}");
    }
}

#[test]
fn texts_need_no_answers() {
    let options = TaskOptions { rendering: Rendering::Instructed, ..options() };
    let tasks = tasks::load(&["texts".into()], &options).expect("a task");
    assert_eq!((tasks[0].items.len(), tasks[0].kind), (15, TaskKind::Texts));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.csv");
    std::fs::write(&path, "id,prompt\n1,Write.\n").expect("a file");
    let tasks = tasks::load(&[format!("texts:{}", path.display())], &options).expect("a task");
    assert_eq!(
        (tasks[0].name.as_str(), text(&items(&tasks[0])[0]), items(&tasks[0])[0].task.as_str()),
        ("mine", "Write.", "mine")
    );
}

/// `--skip slow::` leaves this test out.
mod slow {
    use super::*;

    #[test]
    fn every_error_of_the_reader_has_a_line() {
        use rand::Rng;
        let files: [(&str, &[u8]); 3] = [
            (
                "t.jsonl",
                b"{\"id\":\"1\",\"prompt\":\"p\",\"answer\":\"a\",\"choices\":[\"a\",\"b\"]}\r\n\
                {\"id\":2,\"messages\":[{\"role\":\"user\",\"content\":\"x\\u0000\"}],\"answers\":[\"y\"]}\n",
            ),
            (
                "t.csv",
                b"\xef\xbb\xbfid,prompt,answer,choices\r\n1,\"p,\"\"q\"\"\nr\",a,\"[\"\"a\"\",\
                \"\"b\"\"]\"\r\n2,p,B,\"[\"\"a\"\",\"\"b\"\"]\"\r\n",
            ),
            ("c.csv", b"entity,capital\nFrance,Paris\nPeru,Lima\nGhana,Accra\n"),
        ];
        let mut rng = surmise::seed::stream("mutations", "tasks", 1);
        let folder = tempfile::tempdir().expect("a folder");
        for round in 0..1500 {
            let (name, bytes) = files[round % files.len()];
            let mut bytes = bytes.to_vec();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..bytes.len());
                match rng.random_range(0..4) {
                    0 => bytes[at] = rng.random(),
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b",\"\r\n{}[]\\e"[rng.random_range(0..10)]),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            let n_lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            match load(&folder, name, &bytes, "letter") {
                // If a file could be read once, reading it again gives the same number of items.
                Ok(task) => assert!(!task.items.is_empty() && items(&task).len() == task.items.len()),
                Err(Error::Csv { line, .. }) => {
                    assert!((1..=n_lines).contains(&line), "line {line} of {n_lines}");
                }
                Err(Error::Corpus { .. } | Error::Parameter { .. }) => {
                    assert!(name == "c.csv" || bytes.windows(6).any(|w| w == b"entity"));
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_asked_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes, other) in [
        (
            "t.jsonl",
            "{\"id\":\"1\",\"prompt\":\"p\",\"answer\":\"a\"}\n",
            "{\"id\":\"1\",\"prompt\":\"q\",\"answer\":\"a\"}\n",
        ),
        ("t.csv", "id,prompt,answer\n1,p,a\n", "id,prompt,answer\n1,q,a\n"),
    ] {
        let task = load(&folder, name, bytes.as_bytes(), "exact").expect("a task");
        let item = task.items.get(0).expect("an item");
        std::fs::write(folder.path().join(name), other).expect("a file");
        let error = task.items.get(0).expect_err("another item");
        assert!(matches!(error, Error::Parameter { name: "the tasks", .. }), "{error}");
        // The task keeps the file open, so a file that replaces it has no effect.
        std::fs::write(folder.path().join(name), bytes).expect("a file");
        let task = load(&folder, name, bytes.as_bytes(), "exact").expect("a task");
        std::fs::write(folder.path().join("new"), other).expect("a file");
        std::fs::rename(folder.path().join("new"), folder.path().join(name)).expect("a name");
        assert_eq!(task.items.get(0).expect("the item"), item);
    }
}
