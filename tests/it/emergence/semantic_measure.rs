//! Tests semantic profiles of small models: the state is the input of the next block, the result is the same
//! on any number of threads, and invalid designs give an error before anything is computed.

use candle_core::{DType, Device, Tensor};
use surmise::Result;
use surmise::corpus::{Category, DesignPrompts, DesignSettings, FactorialDesign, PromptForm};
use surmise::emergence::semantic::{
    Init, SemanticControl, SemanticProfile, SemanticReading, SemanticSettings, measure,
    measure_with_progress, settings_of, tokenize,
};
use surmise::emergence::{Origin, Profile, ProfileStore, measure_once};
use surmise::model::batch::Batch;
use surmise::model::ops::Ops;
use surmise::model::{Model, PromptStates};

use crate::model::parity::{decoder, flat, golden, tensors};

#[test]
fn states_are_what_the_next_block_reads_in_transformers() {
    let reference = tensors(&golden("semantic/next_inputs.safetensors"));
    for name in ["gpt2", "llama-gqa", "gemma3", "pythia", "olmo2", "opt-350m"] {
        let ids = tensors(&golden(name).join("oracle.safetensors"))["input_ids"]
            .to_dtype(DType::U32)
            .and_then(|ids| ids.to_vec2::<u32>())
            .expect("ids");
        let decoder = decoder(name, "config.json", Ops::Fused);
        let n_blocks = decoder.spec().n_layers;
        let states = PromptStates::of(&decoder, name, &ids, &[3, 1], None).expect("states");
        for block in 1..=n_blocks {
            let expected = flat(&reference[&format!("{name}.{block}")]);
            let found = states.rows(block, 0..ids.len()).expect("rows");
            let top = expected.iter().fold(0f32, |top, v| top.max(v.abs()));
            let worst = found.iter().zip(&expected).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst < 1e-4 * top, "{name}, block {block}: off by {worst} of {top}");
        }
        // The output of each prompt equals the output of the full head at the last token.
        let h = decoder.forward(&Batch::windows(&ids), &mut |_, _| Ok(())).expect("a forward pass");
        let t = ids[0].len();
        let logits = decoder.logits(&h).and_then(|logits| Ok(logits.to_vec2::<f32>()?)).expect("logits");
        for w in 0..ids.len() {
            let row = &logits[w * t + t - 1];
            let top = (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).expect("a vocabulary");
            assert_eq!(states.top_token(w), Some(top as u32), "{name}");
            let total: f64 = row.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
            let log_probability = states.log_probability(w, 3).expect("a token that was asked about");
            assert!((log_probability - (f64::from(row[3]) - total)).abs() < 1e-4, "{name}");
            assert_eq!(states.log_probability(w, 2), None);
        }
    }
}

#[test]
fn the_size_of_a_residual_stream_does_not_change_what_the_next_block_reads() {
    let decoder = decoder("llama-gqa", "config.json", Ops::Fused);
    let values: Vec<f32> = (0..96).map(|i| 10.0 * (i as f32).sin()).collect();
    let h = Tensor::from_vec(values, (2, 48), &Device::Cpu).expect("a tensor");
    for l in 0..=decoder.spec().n_layers {
        let read = flat(&decoder.next_input(l, &h).expect("a state"));
        let larger = flat(&decoder.next_input(l, &(&h * 64.0).expect("a tensor")).expect("a state"));
        let worst = read.iter().zip(&larger).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst < 1e-4, "after block {l}: {worst}");
    }
}

fn design(category: &str, shots: &[usize]) -> FactorialDesign {
    let settings = DesignSettings { sets: 8, queries: 6, shots: shots.into(), ..Default::default() };
    FactorialDesign::draw(&Category::load(category).expect("embedded"), &settings).expect("a design")
}

fn measured(model: &str, design: &FactorialDesign, settings: &SemanticSettings) -> SemanticProfile {
    tokenized_and_measured(&Model::load(model).expect("embedded"), design, settings).expect("a profile")
}

fn tokenized_and_measured(
    model: &Model,
    design: &FactorialDesign,
    settings: &SemanticSettings,
) -> Result<SemanticProfile> {
    measure(model, design, &tokenize(model, design)?, settings)
}

fn all_settings() -> SemanticSettings {
    let foreign = Some(Category::load("animals").expect("embedded"));
    SemanticSettings { permuted_answers: true, foreign, ..SemanticSettings::new(3, Some(4)) }
}

#[test]
fn a_profile_has_every_block_shot_noise_scale_and_control_and_does_not_depend_on_threads() {
    let (design, settings) = (design("countries", &[1, 3]), all_settings());
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| measured("minillama-2", &design, &settings))
    };
    let profile = on(1);
    assert_eq!(serde_json::to_string(&profile).unwrap(), serde_json::to_string(&on(2)).unwrap());
    let n_blocks = profile.model.n_layers;
    let count = |init: Init, control: Option<SemanticControl>| {
        profile.readings.iter().filter(|r| (r.init, r.control) == (init, control)).count()
    };
    for init in [Init::Trained, Init::RandomInit] {
        assert_eq!(count(init, None), 2 * n_blocks * profile.noise_scales.len());
        assert_eq!(count(init, Some(SemanticControl::PermutedRelations)), 2 * n_blocks);
        assert_eq!(count(init, Some(SemanticControl::HalfSets)), 2 * n_blocks);
    }
    for control in [SemanticControl::PermutedAnswers, SemanticControl::ForeignQuery] {
        assert_eq!(count(Init::Trained, Some(control)), 2 * n_blocks * profile.noise_scales.len());
    }
    let finite = |reading: &SemanticReading| {
        reading.macro_nats.is_finite() && reading.macro_nats <= 2.0_f64.ln() + 1e-12
    };
    assert!(profile.readings.iter().all(finite));
    let main = profile.readings.iter().filter(|r| r.control.is_none());
    assert!(main.clone().all(|r| r.macro_share_stderr.is_some_and(f64::is_finite)));
    assert!(main.clone().all(|r| r.micro_nats.is_some_and(|m| m <= 8.0_f64.ln() + 1e-9)));
    assert!(main.clone().all(|r| r.output_share.is_some()));
    // In profiles.csv, the mean of the marked rows is the headline.
    let rows = profile.rows();
    assert_eq!(rows.len(), 2 * n_blocks);
    let marked: Vec<f64> = rows.iter().filter(|row| row.is_headline).map(|row| row.macro_share).collect();
    assert_eq!(marked.len(), n_blocks - 1);
    let mean = marked.iter().sum::<f64>() / marked.len() as f64;
    assert!((mean - profile.headline().expect("two blocks").value).abs() < 1e-12);
    assert!(rows.iter().all(|row| row.macro_share_random_init.is_some()));
    // Existing measurements are kept, and other settings give another profile.
    let model = Model::load("minillama-2").expect("embedded");
    let folder = tempfile::tempdir().expect("a folder");
    let store = ProfileStore::new(folder.path());
    store.put(&profile).expect("written");
    let once = |settings: &SemanticSettings| {
        let prompts = tokenize(&model, &design)?;
        let wanted = settings_of(&model, &design, &prompts, settings);
        let measure = || measure(&model, &design, &prompts, settings);
        measure_once(Some(&store), &model.info, &design.category, &wanted, measure)
    };
    let (kept, origin) = once(&settings).expect("a profile");
    assert_eq!((kept, origin), (profile, Origin::Kept));
    let other = SemanticSettings { random_init_seed: None, ..settings.clone() };
    let (_, origin) = once(&other).expect("a profile");
    assert_eq!((origin, store.files().expect("files").len()), (Origin::Measured, 2));
    assert!(store.check::<SemanticProfile>().is_ok() && store.check::<Profile>().is_err());
}

#[test]
fn progress_counts_states_and_estimates_of_every_decoder_to_the_end() {
    let (design, model) = (design("numbers", &[0, 1]), Model::load("minigpt-1").expect("embedded"));
    let prompts = tokenize(&model, &design).expect("prompts");
    for settings in [SemanticSettings::new(3, None), all_settings()] {
        let seen = std::sync::Mutex::new(vec![]);
        let step = |done: usize, total: usize| seen.lock().unwrap().push((done, total));
        measure_with_progress(&model, &design, &prompts, &settings, &step).expect("a profile");
        let mut seen = seen.into_inner().unwrap();
        let total = seen[0].1;
        assert!(seen.len() > 2 && seen.iter().all(|(_, of)| *of == total), "{seen:?}");
        // Threads may report steps in any order.
        seen.sort_unstable();
        assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "{seen:?}");
        assert_eq!(seen.last(), Some(&(total, total)));
    }
}

#[test]
fn a_trained_model_exceeds_its_random_init_and_permuted_relations_are_zero() {
    let profile = measured("minillama-5", &design("countries", &[2]), &SemanticSettings::new(0, Some(0)));
    let summary = &profile.shots[0];
    let excess = summary.share_mean_above_random_init.expect("two blocks");
    println!("{summary:?}");
    assert!(excess.value > 3.0 * excess.stderr.expect("an error"), "{excess:?}");
    let permuted = profile.readings.iter().filter(|r| r.control == Some(SemanticControl::PermutedRelations));
    for reading in permuted {
        let error = reading.macro_share_stderr.expect("an error");
        assert!(reading.macro_share.abs() < 3.0 * error + 0.02, "{reading:?}");
    }
}

#[test]
fn without_examples_only_the_accuracy_is_measured_and_nothing_else_changes() {
    let (with, without) = (design("countries", &[0, 1, 2]), design("countries", &[1, 2]));
    let settings = SemanticSettings { permuted_answers: true, ..SemanticSettings::new(0, Some(0)) };
    let (found, others) =
        (measured("minigpt-3", &with, &settings), measured("minigpt-3", &without, &settings));
    assert_eq!((&found.readings, &found.shots[1..]), (&others.readings, &others.shots[..]));
    assert_eq!((found.corpus.shots[0].overlap, found.headline()), (0.0, others.headline()));
    let zero = &found.shots[0];
    assert!(zero.share_mean.is_none() && zero.output_share.is_none() && zero.micro_nats_mean.is_none());
    // Without examples, the prompt of every relation is "query ->", and only the right answer differs.
    let model = Model::load("minigpt-3").expect("embedded");
    let ids = |text: &str| -> Vec<u32> {
        model.tokenizer.encode(text).expect("words").iter().map(|token| token.id).collect()
    };
    let (mut right, mut logprob, mut n) = (0.0, 0.0, 0.0);
    for query in &with.queries {
        let window = ids(&format!("{} ->", query.entity));
        let last = window.len() - 1;
        let h = model.decoder.forward(&Batch::windows(&[window]), &mut |_, _| Ok(())).expect("a pass");
        let logits = model.decoder.logits(&h).and_then(|logits| Ok(logits.to_vec2::<f32>()?));
        let row = &logits.expect("logits")[last];
        let top = (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).expect("a vocabulary");
        let total: f64 = row.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
        for answer in query.answers.iter().flatten() {
            let token = ids(answer)[0] as usize;
            right += f64::from(u8::from(top == token));
            logprob += f64::from(row[token]) - total;
            n += 1.0;
        }
    }
    println!("accuracy {} of {n} prompts", right / n);
    assert!((zero.accuracy.expect("a head").value - right / n).abs() < 1e-12 && right > 0.0);
    assert!((zero.logprob_nats.expect("a head").value - logprob / n).abs() < 1e-5);
}

#[test]
fn invalid_designs_are_refused_before_anything_is_computed() {
    let model = Model::load("minigpt-1").expect("embedded");
    let refused = |design: &FactorialDesign| tokenize(&model, design).unwrap_err().to_string();
    // A prompt with 40 shots exceeds the 64 positions of the model.
    let long = design("countries", &[1, 40]);
    let error = refused(&long);
    assert!(
        error.contains("64 positions") && error.contains("40 shots") && error.contains("tokens"),
        "{error}"
    );
    // The vocabulary of the model lacks the words of `elements`.
    let error = refused(&design("elements", &[1]));
    assert!(error.contains("cannot spell entity"), "{error}");
    // Two entities are equal in lower case.
    let file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a file");
    let rows = "entity,a,b\nFrance,Paris,Europe\nfrance,Rome,Asia\nItaly,Rome,Europe\nSpain,Madrid,Europe\n\
                Peru,Lima,Africa\nJapan,Tokyo,Asia\nChina,Beijing,Asia\n";
    std::fs::write(file.path(), rows).expect("written");
    let category = Category::load(file.path().to_str().expect("UTF-8")).expect("a category");
    let settings = DesignSettings { sets: 4, queries: 3, shots: vec![1], ..Default::default() };
    let error = refused(&FactorialDesign::draw(&category, &settings).expect("a design"));
    assert!(error.contains("the same tokens"), "{error}");
}

#[test]
fn relations_whose_answers_begin_alike_are_refused_and_single_queries_are_left_out() {
    let model = Model::load("minigpt-1").expect("embedded");
    let table = |differ: usize| {
        let cities = ["Paris", "Rome", "Madrid", "Lima", "Tokyo", "Beijing", "Cairo"];
        let countries = ["France", "Italy", "Spain", "Peru", "Japan", "China", "Egypt"];
        let mut rows = "entity,a,b\n".to_owned();
        for (i, (country, city)) in countries.iter().zip(cities).enumerate() {
            let other = if i < differ { "Africa" } else { city };
            // From row `differ` on, the two answers have the same first word and differ only in the second
            // word.
            rows += &format!("{country},{city} Africa,{other} Europe\n");
        }
        let file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a file");
        std::fs::write(file.path(), rows).expect("written");
        let category = Category::load(file.path().to_str().expect("UTF-8")).expect("a category");
        let settings = DesignSettings { sets: 4, queries: 3, shots: vec![1], ..Default::default() };
        let design = FactorialDesign::draw(&category, &settings).expect("a design");
        tokenized_and_measured(&model, &design, &SemanticSettings::new(0, None))
    };
    let error = table(0).unwrap_err().to_string();
    assert!(error.contains("columns a and b") && error.contains("for only 0 of 3"), "{error}");
    assert!(table(7).expect("a profile").corpus.left_out.is_empty());
    let left_out: usize =
        table(5).map_or(0, |profile| profile.corpus.left_out.iter().map(|l| l.queries).sum());
    assert!(left_out <= 1);
}

#[test]
fn the_message_of_a_chat_is_rendered_by_the_models_own_template() {
    let mut model = Model::load(&golden("llama-gqa").to_string_lossy()).expect("a model");
    let template =
        "{{ bos_token }}{% for m in messages %}<{{ m['role'] }}>{{ m['content'] | trim }}{% endfor %}<a>";
    model.chat.settings["chat_template"] = template.into();
    let settings = DesignSettings {
        sets: 4,
        queries: 3,
        shots: vec![1],
        form: PromptForm::find("chat").expect("a form"),
        ..Default::default()
    };
    let file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a file");
    let table = (1..8).map(|i| format!("{i},a{i},{i}b\n")).collect::<String>();
    std::fs::write(file.path(), format!("entity,a,b\n{table}")).expect("a file");
    let category = Category::load(&file.path().to_string_lossy()).expect("a category");
    let design = FactorialDesign::draw(&category, &settings).expect("a design");
    let prompts = DesignPrompts::new(&design, &model).expect("prompts");
    let ids = |text: &str| -> Vec<u32> {
        model.tokenizer.encode(text).expect("tokens").into_iter().map(|token| token.id).collect()
    };
    for (window, prompt) in prompts.windows.iter().zip(design.texts(1)) {
        // The chat template writes the beginning-of-sequence token, so the tokenizer must not add a second
        // token.
        assert_eq!(window[0], 0);
        assert_eq!(window[1..], ids(&format!("<user>{}<a>", prompt.text)));
    }
    for (tokens, query) in prompts.answer_tokens.iter().zip(&design.queries) {
        let first = |answer: &String| ids(answer)[0];
        assert_eq!(*tokens, query.answers.as_ref().expect("answers").iter().map(first).collect::<Vec<_>>());
    }
    assert_eq!(prompts.sha256, design.sha256());
    let profile = measure(&model, &design, &prompts, &SemanticSettings::new(0, None)).expect("a profile");
    assert_eq!(profile.corpus.form, "chat");
    model.chat.settings["chat_template"] = "{{ raise_exception('no users') }}".into();
    let refused = DesignPrompts::new(&design, &model).map(drop).unwrap_err().to_string();
    assert!(refused.contains("no users"), "{refused}");
}
