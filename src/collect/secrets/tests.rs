//! Tests what is redacted and what is kept, and that JSON stays valid.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::Secrets;
use super::forms::LEAST_CHARACTERS;
use crate::provider::{self, KeyHeader};
use crate::seed;

const KEY: &str = "zq-Test+Key/0123456789abcdefXYZ";

#[test]
fn the_key_is_found_whole_in_part_and_in_every_form() {
    let secrets = Secrets::new(KEY);
    let mut texts = vec![
        KEY.to_owned(),
        format!("{{\"message\":\"Incorrect API key provided: {KEY}.\"}}"),
        "zq-Test+Key".into(),
        "zq-Test+***cdefXYZ9".replace("cdefXYZ9", "abcdefXYZ"),
        format!("https://host/?key={}", KEY.replace('+', "%2B").replace('/', "%2F")),
        KEY.replace('+', "%2b").replace('/', "%2f"),
        KEY.replace('/', "\\/"),
    ];
    for before in ["", "a", "ab", "abc", "Bearer ", "user:"] {
        texts.push(STANDARD_NO_PAD.encode(format!("{before}{KEY}")));
        texts.push(URL_SAFE_NO_PAD.encode(format!("{before}{KEY} and more")));
    }
    for text in texts {
        let clean = secrets.redact_text(&text);
        assert!(clean.contains("[REDACTED]"), "{text}");
        for part in [&KEY[..8], &KEY[KEY.len() - 8..]] {
            assert!(!clean.contains(part), "{text} -> {clean}");
        }
        assert!(!clean.contains(&STANDARD_NO_PAD.encode(KEY)[4..16]), "{text} -> {clean}");
    }
}

#[test]
fn parts_from_within_and_escapes_of_json_hide_nothing() {
    let secrets = Secrets::new(KEY);
    let escaped: String = KEY.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let half: String = KEY
        .chars()
        .enumerate()
        .map(|(i, c)| if i % 3 == 0 { format!("\\u{:04X}", u32::from(c)) } else { c.into() })
        .collect();
    for hidden in
        [&escaped, &half, &KEY[2..KEY.len() - 2].to_owned(), &KEY[5..21].to_owned(), &KEY.replace('/', "\\/")]
    {
        let body = format!("{{\"a\":\"é\\n{hidden}\\u00e9\",\"b\":1}}");
        let clean: serde_json::Value = serde_json::from_slice(&secrets.redact(body.as_bytes())).unwrap();
        assert_eq!(clean, serde_json::json!({"a": "é\n[REDACTED]é", "b": 1}), "{hidden}");
        // JSON within a JSON string.
        let nested = serde_json::json!({"message": body, "c": 2}).to_string();
        let clean: serde_json::Value = serde_json::from_slice(&secrets.redact(nested.as_bytes())).unwrap();
        let inner: serde_json::Value = serde_json::from_str(clean["message"].as_str().unwrap()).unwrap();
        assert_eq!(inner["a"], "é\n[REDACTED]é", "{hidden}");
    }
    for text in [&KEY[2..14], "\\u00", "\\", "a\\", "\\ud83d\\ude00", "\\u{1f600}\\é"] {
        assert!(!secrets.is_in(text), "{text}");
    }
}

#[test]
fn keys_of_other_accounts_go_and_words_stay() {
    let secrets = Secrets::new("EMPTY");
    for text in [
        "sk-proj-abcdefghij0123456789",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "Bearer abcdefghijklmnop01234567",
    ] {
        assert!(secrets.is_in(text), "{text}");
    }
    for text in [
        "EMPTY",
        "the sk-learn-like-interface-of-the-library",
        "Bearer of bad news",
        "ask-me-anything",
        "",
        "Paris",
    ] {
        assert!(matches!(secrets.redact(text.as_bytes()), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn nothing_but_the_secret_is_touched_and_json_stays_json() {
    let secrets = Secrets::new(KEY);
    let json = serde_json::json!({"a": format!("é{KEY}\u{1f600}{KEY}"), "b": [1, "x"]}).to_string();
    let clean: serde_json::Value = serde_json::from_slice(&secrets.redact(json.as_bytes())).unwrap();
    assert_eq!(clean, serde_json::json!({"a": "é[REDACTED]\u{1f600}[REDACTED]", "b": [1, "x"]}));
    assert_eq!(secrets.redact(b"\xff\xfe plain").as_ref(), b"\xff\xfe plain");
    assert_eq!(format!("{secrets:?}"), "Secrets");
}

#[test]
fn the_header_does_not_print_its_value() {
    let (name, value) = Secrets::new(KEY).header(KeyHeader::Bearer, "e").unwrap();
    assert_eq!((name, format!("{value:?}")), ("authorization", "Sensitive".into()));
    assert_eq!(value.as_bytes(), format!("Bearer {KEY}").as_bytes());
}

/// The forms in which a server may echo a key.
fn echoes(key: &str) -> Vec<(&'static str, String)> {
    let each = |form: fn(char) -> String| key.chars().map(form).collect::<String>();
    let hex = seed::hex(key.as_bytes());
    let encoded = STANDARD.encode(format!("Authorization: Bearer {key}"));
    vec![
        ("hexadecimal", hex.clone()),
        ("upper-case hexadecimal", hex.to_uppercase()),
        ("hexadecimal of a header", seed::hex(format!("Bearer {key}\r\n").as_bytes())),
        ("base64 of a header", encoded.clone()),
        ("base64url of a header", URL_SAFE_NO_PAD.encode(format!("Authorization: Bearer {key}"))),
        ("percent signs for all", each(|c| format!("%{:02X}", u32::from(c)))),
        ("percent signs twice", each(|c| format!("%25{:02x}", u32::from(c)))),
        ("escapes of JSON", each(|c| format!("\\u{:04x}", u32::from(c)))),
        ("escapes of percent signs", each(|c| format!("\\u0025{:02x}", u32::from(c)))),
        ("zero-width spaces", each(|c| format!("{c}\u{200b}"))),
        ("soft hyphens", each(|c| format!("{c}\u{ad}"))),
        ("escaped zero-width joiners", each(|c| format!("{c}\\u200d"))),
    ]
}

#[test]
fn no_echo_of_a_key_is_left() {
    for key in [
        KEY,
        "sk-proj-4fGh6Jk8Lm0Np2Qr4St6Uv8Wx0Yz2Ab4Cd6",
        "AIzaSyD0-9_ghIJklMNopQRstUVwxYZ012345",
        "8c1f09b2d7e64a53",
    ] {
        let secrets = Secrets::new(key);
        for (name, echo) in echoes(key) {
            let body = format!("{{\"a\": [1, \"before {echo} behind\"], \"b\": 2}}");
            let clean = secrets.redact(body.as_bytes()).into_owned();
            let clean = String::from_utf8(clean).unwrap();
            assert!(
                clean.starts_with("{\"a\": [1, \"before ") && clean.ends_with(" behind\"], \"b\": 2}"),
                "{name}: {clean}"
            );
            // Only the mask remains, and fragments that are too short to reveal the key.
            let left = clean.replace("[REDACTED]", "");
            let n_left = left.len() - (body.len() - echo.len());
            assert!(clean.contains("[REDACTED]") && n_left <= 34, "{name}: {clean}");
            assert!(!secrets.is_in(&clean), "{name}: {clean}");
            assert!(secrets.holds_key(&echo), "{name}");
            // JSON within a JSON string.
            let nested = serde_json::json!({"error": {"message": body}}).to_string();
            let clean: serde_json::Value =
                serde_json::from_slice(&secrets.redact(nested.as_bytes())).unwrap();
            assert!(!secrets.is_in(&clean["error"]["message"].to_string()), "{name}: {clean}");
        }
    }
}

#[test]
fn names_of_members_stay_and_answers_can_be_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/providers");
    let mut n_names = 0;
    for provider in provider::ALL {
        for file in std::fs::read_dir(folder.join(provider.name())).unwrap().flatten() {
            let body = std::fs::read(file.path()).unwrap();
            let status =
                file.file_name().to_string_lossy().split('-').next().and_then(|status| status.parse().ok());
            let (Some(status), Ok(value)) = (status, serde_json::from_slice::<serde_json::Value>(&body))
            else {
                continue;
            };
            let mut names = vec![];
            collect_names(&value, &mut names);
            let read = |body: &[u8]| provider::read(*provider, status, &provider::Headers::default(), body);
            for name in names.iter().filter(|name| {
                // A name with other characters is not a name of the wire format, but a token of an answer.
                name.len() >= LEAST_CHARACTERS
                    && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            }) {
                n_names += 1;
                for key in
                    [(*name).clone(), format!("{name}-1"), format!("x9-{name}"), format!("zk-1_{name}_zk-2")]
                {
                    let clean = Secrets::new(&key).redact(&body).into_owned();
                    let value: serde_json::Value = serde_json::from_slice(&clean).unwrap();
                    let mut still = vec![];
                    collect_names(&value, &mut still);
                    assert_eq!(still, names, "{key}: {}", file.path().display());
                    assert_eq!(read(&clean).usage, read(&body).usage, "{key}");
                    assert_eq!(
                        read(&clean).outcome.kind(),
                        read(&body).outcome.kind(),
                        "{key}: {}",
                        file.path().display()
                    );
                }
            }
        }
    }
    assert!(n_names > 200, "{n_names}");
}

fn collect_names(value: &serde_json::Value, names: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => members.iter().for_each(|(name, value)| {
            names.push(name.clone());
            collect_names(value, names);
        }),
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect_names(value, names)),
        _ => {}
    }
}

#[test]
fn what_says_nothing_of_the_key_stays() {
    let key = "sk-proj-4fGh6Jk8Lm0Np2Qr4St6Uv8Wx0Yz2Ab4Cd6";
    let secrets = Secrets::new(key);
    for text in [
        "Keys begin with sk-proj- or sk-ant-api03-, then letters follow.",
        "sk-proj-4fG",
        "4fGh6Jk8Lm",
        "100% of R&D; 50 &amp; 60 %20 C:\\new\\table \\u00e9",
        "736b2d70726f6a",
        "The quick brown fox\n\njumps over\tthe lazy dog 0123456789.",
    ] {
        assert!(matches!(secrets.redact(text.as_bytes()), Cow::Borrowed(_)), "{text}");
    }
    assert!(secrets.is_in("sk-proj-4fGh") && secrets.is_in("z2Ab4Cd6"));
    // A very short key, or a fairly short key without digits, counts as a placeholder. A long key without
    // digits does not.
    for key in ["EMPTY", "key-1", "not-needed", "lm-studio", "no_key_required"] {
        let secrets = Secrets::new(key);
        assert!(secrets.is_placeholder() && !secrets.is_in(key), "{key}");
    }
    for key in ["key-1234", "a-long-phrase-of-words"] {
        let secrets = Secrets::new(key);
        assert!(
            !secrets.is_placeholder()
                && secrets.is_in(key)
                && !secrets.is_in("a long phrase of words; key 1234, key-12"),
            "{key}"
        );
    }
}

#[test]
fn whatever_bytes_come_json_stays_json_and_nothing_is_found_twice() {
    use rand::Rng;
    let secrets = Secrets::new(KEY);
    let encoded = STANDARD.encode(KEY);
    let pieces = [
        KEY,
        &KEY[..9],
        &KEY[20..],
        &encoded,
        "\\",
        "\\u00",
        "\\u007a",
        "%",
        "%7A",
        "&",
        "&#122;",
        "&amp;",
        ";",
        "\"",
        " ",
        "\n",
        "é",
        "zq-",
        "T",
        "\\n",
    ];
    let mut rng = seed::stream("test", "secrets", 1);
    let mut n_json = 0;
    for _ in 0..20_000 {
        let text: String =
            (0..rng.random_range(0..12)).map(|_| pieces[rng.random_range(0..pieces.len())]).collect();
        let body = format!("{{\"a\":[\"{text}\"],\"b\":{{\"c_name\":\"x{text}y\"}}}}");
        for mut bytes in [text.clone().into_bytes(), body.clone().into_bytes()] {
            if rng.random_bool(0.3) && !bytes.is_empty() {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = rng.random();
            }
            let clean = secrets.redact(&bytes).into_owned();
            assert!(!clean.windows(KEY.len()).any(|window| window == KEY.as_bytes()));
            if serde_json::from_slice::<serde_json::Value>(&bytes).is_ok() {
                n_json += 1;
                assert!(
                    serde_json::from_slice::<serde_json::Value>(&clean).is_ok(),
                    "{}",
                    String::from_utf8_lossy(&clean)
                );
            }
        }
    }
    assert!(n_json > 2000, "{n_json}");
}

#[test]
fn a_key_of_digits_leaves_numbers_where_numbers_are() {
    let secrets = Secrets::new("4929123456789012");
    for number in [
        "4929123456789012",
        " 74929123456789012 ",
        "49291234",
        "\"4929123456789012\"",
        "\"it is 4929123456789012, or\"",
    ] {
        let body = format!("{{\"created\":{number},\"a\":[{number}, {number}],\"b\":{number}}}");
        let clean = secrets.redact(body.as_bytes()).into_owned();
        assert!(
            serde_json::from_slice::<serde_json::Value>(&clean).is_ok(),
            "{}",
            String::from_utf8_lossy(&clean)
        );
        assert!(!String::from_utf8_lossy(&clean).contains("49291234"), "{}", String::from_utf8_lossy(&clean));
    }
}

#[test]
fn no_body_takes_for_ever() {
    let began = std::time::Instant::now();
    let letters = "correct_horse_battery_staple";
    for (key, unit) in [
        (KEY, "sk-"),
        (KEY, "z "),
        (KEY, "\\\\"),
        (letters, letters),
        ("4929123456789012", "4929123456789012"),
        (KEY, "%25"),
        (KEY, "\u{200b}"),
    ] {
        let body = unit.repeat((1 << 20) / unit.len());
        let clean = Secrets::new(key).redact(body.as_bytes()).into_owned();
        assert!(!clean.windows(key.len()).any(|window| window == key.as_bytes()));
    }
    // One MiB of each repeated text takes seconds; a quadratic scan would take minutes.
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}
