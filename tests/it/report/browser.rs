//! Tests the page in a browser, if one is installed: there are no errors, a cell shows the number of the CSV
//! file, arrow keys move between cells, filters work, hostile answers remain text, and a served page shows
//! changes of its folder.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::page::{measured, surmise, text};
use crate::support::browser::Browser;

/// Maximum time to wait for the browser.
const PATIENCE: Duration = Duration::from_secs(10);
const CELL: &str = "table.heat td[data-block='3'][data-column='4']";

fn share(folder: &Path, model: &str, shots: &str, block: &str) -> f64 {
    let path = folder.join("profiles/profiles.csv");
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let mut rows =
        reader.deserialize::<std::collections::BTreeMap<String, String>>().map(|row| row.expect("a row"));
    let row = rows.find(|row| row["model"] == model && row["shots"] == shots && row["block"] == block);
    row.expect("the row")["macro_share"].parse().expect("a number")
}

/// The number after `share ` in a text.
fn shown(text: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix("share ")).expect("the share");
    line.parse().expect("a number")
}

#[test]
fn cells_show_the_numbers_of_the_csv_and_filters_work() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    measured(folder.path());
    let items = "task,shots,id,question,replicate,kind,credit,credit_per_byte,logprob_nats,answer,gold,\
                 finish_reason,model_snapshot,system_fingerprint,prompt_tokens,completion_tokens,\
                 collected_at\n\
                 t,1,t/one,q,0,scored,1,,,blue,\"[\"\"blue\"\"]\",,,,,,\n\
                 t,1,t/two,q,0,scored,0,,,<script>document.title='run'</script>,\"[\"\"red\"\"]\",,,,,,\n\
                 t,4,t/three,q,0,refused,,,,cannot help,\"[\"\"red\"\"]\",,,,,,\n";
    std::fs::write(folder.path().join("items.csv"), items).expect("a file");
    let rows = "a,m,share,0.51234,0.25,0.75,0.625\nb,m,share,0.4,0.3,0.5,0.8\n";
    std::fs::write(
        folder.path().join("predictions.csv"),
        format!("target_model,corpus,unit,y_hat,low,high,measured\n{rows}"),
    )
    .expect("a file");
    assert!(surmise(&["report", "html", text(folder.path())]).status.success());
    browser.open_file(&folder.path().join("report.html"));
    assert_eq!(browser.value("document.querySelectorAll('section').length"), json!(7));
    assert_eq!(browser.value("document.getElementById('menu-model').value"), json!("factgpt-4"));

    // The tooltip shows the value of the file, to six digits.
    browser.point_at(CELL);
    browser.until("!document.getElementById('tip').hidden");
    let tip = browser.text("#tip");
    assert!(tip.starts_with("factgpt-4, moons, block 3, 4 examples"), "{tip}");
    let expected = share(folder.path(), "factgpt-4", "4", "3");
    assert!((shown(&tip) - expected).abs() <= 5.1e-6 * expected.abs(), "{tip} {expected}");
    assert!(tip.contains("95 %") && tip.contains("flags: "), "{tip}");

    // An arrow key moves to the neighbour on the left and shows its value.
    browser.value(&format!("document.querySelector({}).focus()", json!(CELL)));
    browser.press("ArrowLeft");
    let readout = browser.text("#readout");
    assert!(readout.starts_with("factgpt-4, moons, block 3, 1 example,"), "{readout}");
    let expected = share(folder.path(), "factgpt-4", "1", "3");
    assert!((shown(&readout) - expected).abs() <= 5.1e-6 * expected.abs(), "{readout} {expected}");
    browser.press("Escape");
    assert_eq!(browser.value("document.getElementById('tip').hidden"), json!(true));

    // Menus change the model and the noise scale; block 1 is masked.
    browser.value(
        "(() => { const m = document.getElementById('menu-model'); m.value = 'factllama-1'; \
                   m.dispatchEvent(new Event('change')); })()",
    );
    assert!(browser.text("#heat h3").starts_with("factllama-1 on moons"));
    assert_eq!(browser.value("document.querySelectorAll('table.heat td.masked').length"), json!(2));
    let scales = browser.value("document.getElementById('menu-b').options.length").as_u64();
    assert!(scales > Some(1), "{scales:?}");

    // A hostile answer remains text. The search field and the grade filter keep only matching rows.
    let count = "document.querySelectorAll('#answers-table tbody tr').length";
    assert_eq!(browser.value(count), json!(3));
    assert!(browser.text("#answers-table").contains("<script>document.title='run'</script>"));
    assert_ne!(browser.value("document.title"), json!("run"));
    browser.value("document.getElementById('answer-search').focus()");
    browser.type_text("RED");
    assert_eq!(browser.value(count), json!(2));
    browser.value(
        "(() => { const m = document.getElementById('menu-grade'); m.value = 'refused'; \
                   m.dispatchEvent(new Event('change')); })()",
    );
    assert_eq!(browser.value(count), json!(1));
    assert!(browser.text("#answers-table tbody").contains("cannot help"));
    // The URL fragment stores the selected filters.
    assert!(browser.value("location.hash").as_str().is_some_and(|hash| hash.contains("grade=refused")));

    // A point of the figure shows its row, with the mouse and with the keyboard.
    browser.point_at("#predictions svg .hit");
    let tip = browser.text("#tip");
    assert!(tip.contains("target model: a") && tip.contains("y hat: 0.51234"), "{tip}");
    browser.value("document.querySelector('#predictions svg').focus()");
    browser.press("End");
    // On a busy machine, the browser may handle a key late.
    let is_there = |browser: &mut Browser| browser.text("#tip").contains("target model: b");
    let began = Instant::now();
    while !is_there(&mut browser) && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(is_there(&mut browser), "{}", browser.text("#tip"));
    // Copied CSV has every digit; copied LaTeX has rules and number columns.
    let table = "data.predictions[0].table";
    let csv = browser.value(&format!("csvText({table}, {table}.rows)"));
    assert!(csv.as_str().is_some_and(|csv| csv.contains("a,m,share,0.51234,0.25,0.75,0.625,")), "{csv}");
    let latex = browser.value(&format!("latexText({table}, {table}.rows)"));
    let has = |words: &str| latex.as_str().is_some_and(|latex| latex.contains(words));
    assert!(has("\\toprule") && has("S[table-format=1.3]") && has("a & m & share & 0.512"), "{latex}");
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn a_served_page_follows_its_folder() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("predictions.csv");
    std::fs::write(&file, "target_model,y_hat\nfirst-model,1\n").expect("a file");
    let mut server = Command::new(env!("CARGO_BIN_EXE_surmise"))
        .args(["view", text(folder.path()), "-q"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut url = String::new();
    BufReader::new(server.stdout.take().expect("stdout")).read_line(&mut url).expect("a URL");
    browser.open(url.trim());
    assert!(browser.text("#predictions").contains("first-model"));
    // A selected theme does not change when the folder changes.
    browser.value("setState('colours', 'dark'); applyTheme()");
    std::fs::write(&file, "target_model,y_hat\nsecond-model,2\nthird,3\n").expect("a file");
    browser.until("document.querySelector('#predictions').textContent.includes('second-model')");
    assert_eq!(browser.value("document.documentElement.dataset.theme"), json!("dark"));
    assert_eq!(browser.errors(), Vec::<String>::new());
    // After the server has stopped, the page reports that it is not up to date.
    server.kill().expect("a server");
    server.wait().expect("its end");
    browser.until("document.getElementById('status').textContent.includes('not up to date')");
}
