//! Tests the gradients of the composed operations. Every parameter has a gradient, and loss and gradients
//! agree with PyTorch. These tests detect operations that stop gradients without an error, such as the fused
//! norms, softmax and rotary embedding of candle.

#[path = "../../../examples/train_family/optimise.rs"]
mod optimise;

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::loss::cross_entropy;
use surmise::model::arch::{self, Config};
use surmise::model::batch::Batch;
use surmise::model::ops::Ops;
use surmise::model::random_init;
use surmise::model::weights::{Init, ParameterSource};

use super::parity::{golden, tensors};

/// A source that provides the golden weights as trainable parameters.
struct Trainable {
    file: HashMap<String, Tensor>,
    vars: Mutex<BTreeMap<String, Var>>,
}

impl ParameterSource for Trainable {
    fn has(&self, name: &str) -> bool {
        self.file.contains_key(name)
    }

    fn tensor(&self, name: &str, shape: &[usize], _init: Init) -> surmise::Result<Tensor> {
        assert_eq!(self.file[name].dims(), shape, "{name}");
        let var = Var::from_tensor(&self.file[name])?;
        let tensor = var.as_tensor().clone();
        self.vars.lock().expect("a lock").insert(name.to_owned(), var);
        Ok(tensor)
    }
}

/// A golden checkpoint in training: its parameters, and its loss on the golden windows.
struct Run {
    reference: HashMap<String, Tensor>,
    source: Trainable,
    loss: Tensor,
}

impl Run {
    fn of(name: &str) -> Self {
        let reference = tensors(&golden(name).join("training.safetensors"));
        let ids: Vec<Vec<u32>> = tensors(&golden(name).join("oracle.safetensors"))["input_ids"]
            .to_dtype(DType::U32)
            .and_then(|t| t.to_vec2())
            .expect("ids");
        let bytes = std::fs::read(golden(name).join("config.json")).expect("a config");
        let config = Config::parse("config.json".as_ref(), &bytes).expect("a config");
        let (architecture, spec) = arch::read(&config).expect("a spec");
        let source =
            Trainable { file: tensors(&golden(name).join("model.safetensors")), vars: Mutex::default() };
        let decoder = random_init(architecture, &spec, &source, Ops::Composed).expect("a decoder");
        let inputs: Vec<&[u32]> = ids.iter().map(|row| &row[..row.len() - 1]).collect();
        let targets: Vec<u32> = ids.iter().flat_map(|row| row[1..].iter().copied()).collect();
        let h = decoder.forward(&Batch::windows(&inputs), &mut |_, _| Ok(())).expect("states");
        let targets = Tensor::from_vec(targets, 33, &Device::Cpu).expect("targets");
        let loss = cross_entropy(&decoder.logits(&h).expect("logits"), &targets).expect("a loss");
        Self { reference, source, loss }
    }

    /// Pairs of a computed value and the reference value, for each value of an array.
    fn beside(&self, key: &str, ours: &Tensor) -> Vec<(f32, f32)> {
        let flat = |t: &Tensor| t.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("f32");
        let (ours, theirs) = (flat(ours), flat(&self.reference[key]));
        assert_eq!(ours.len(), theirs.len(), "{key}");
        ours.into_iter().zip(theirs).collect()
    }
}

#[test]
fn loss_and_every_gradient_agree_with_pytorch() {
    for name in ["gpt2", "llama-gqa"] {
        let run = Run::of(name);
        let expected = run.reference["loss"].to_scalar::<f32>().expect("a number");
        let found = run.loss.to_scalar::<f32>().expect("a number");
        assert!((found - expected).abs() < 1e-5 * expected, "{name}: loss {found}, PyTorch {expected}");
        let gradients = run.loss.backward().expect("gradients");
        let vars = run.source.vars.lock().expect("a lock");
        let n_reference = run.reference.keys().filter(|key| key.starts_with("grad.")).count();
        assert_eq!(vars.len(), n_reference, "{name}: a parameter is missing on one side");
        for (parameter, var) in vars.iter() {
            let ours =
                gradients.get(var).unwrap_or_else(|| panic!("{name}: no gradient reaches {parameter}"));
            let pairs = run.beside(&format!("grad.{parameter}"), ours);
            let top = pairs.iter().fold(0f32, |top, (_, theirs)| top.max(theirs.abs()));
            let worst = pairs.iter().fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(top > 0.0 && worst <= 1e-4 * top, "{name}: {parameter} off by {worst} of {top}");
        }
    }
}

#[test]
fn a_gradient_reaches_every_parameter_of_every_architecture() {
    for name in crate::model::parity::all() {
        let (architecture, spec) = crate::model::parity::spec(&name, "config.json");
        let source =
            Trainable { file: tensors(&golden(&name).join("model.safetensors")), vars: Mutex::default() };
        let decoder = random_init(architecture, &spec, &source, Ops::Composed).expect("a decoder");
        let windows = [[3u32, 1, 4, 1, 5, 9, 2, 6], [5, 3, 5, 8, 9, 7, 9, 3]];
        let h = decoder.forward(&Batch::windows(&windows), &mut |_, _| Ok(())).expect("states");
        let targets =
            Tensor::from_iter(windows.into_iter().flatten().map(|id| id + 1), &Device::Cpu).expect("targets");
        let loss = cross_entropy(&decoder.logits(&h).expect("logits"), &targets).expect("a loss");
        let gradients = loss.backward().expect("gradients");
        for (parameter, var) in source.vars.lock().expect("a lock").iter() {
            let Some(gradient) = gradients.get(var) else {
                // There is no gradient if no token uses the expert, or if the parameter only affects the
                // choice of experts.
                let is_spared = [".experts.", "correction_bias"].iter().any(|part| parameter.contains(part));
                assert!(is_spared, "{name}: no gradient reaches {parameter}");
                continue;
            };
            let size = gradient
                .abs()
                .and_then(|g| g.max_all())
                .and_then(|g| g.to_scalar::<f32>())
                .expect("a number");
            assert!(size > 0.0 && size.is_finite(), "{name}: the gradient of {parameter} is {size}");
        }
    }
}

#[test]
fn one_step_of_the_trainer_agrees_with_pytorch_and_a_saved_state_continues_to_the_bit() {
    for name in ["gpt2", "llama-gqa"] {
        let run = Run::of(name);
        let vars = run.source.vars.lock().expect("a lock").clone();
        let mut optimiser = optimise::AdamW::new(vars.clone()).expect("an optimiser");
        optimiser.step(&run.loss, 1e-3).expect("a step");
        for key in run.reference.keys().filter(|key| key.starts_with("after.")) {
            let parameter = &key["after.".len()..];
            let gradients =
                run.beside(&format!("grad.{parameter}"), &run.reference[&format!("grad.{parameter}")]);
            for ((ours, theirs), (gradient, _)) in
                run.beside(key, vars[parameter].as_tensor()).iter().zip(gradients)
            {
                // The first step of Adam is the sign of the gradient. If the gradient is only rounding error,
                // the sign is arbitrary.
                let tolerance = if gradient.abs() >= 1e-4 || gradient == 0.0 { 1e-6 } else { 5e-5 };
                assert!((ours - theirs).abs() <= tolerance, "{name}: {parameter}: {ours}, PyTorch {theirs}");
            }
        }
        let file = tempfile::tempdir().expect("a folder");
        let state = file.path().join("state.safetensors");
        optimiser.save(&state, 1, 2).expect("a file");
        let values = |vars: &BTreeMap<String, Var>| -> Vec<Vec<f32>> {
            vars.values().map(|v| v.flatten_all().and_then(|t| t.to_vec1()).expect("f32")).collect()
        };
        // A second step after loading the saved state must equal a second step without interruption. Both use
        // the loss at the initial weights, which is enough for this comparison.
        optimiser.step(&run.loss, 1e-3).expect("a step");
        let at_once = values(&vars);
        let mut resumed = optimise::AdamW::new(vars.clone()).expect("an optimiser");
        assert_eq!(resumed.load(&state, 2).expect("the saved state"), 1);
        resumed.step(&run.loss, 1e-3).expect("a step");
        assert_eq!(at_once, values(&vars), "{name}");
        assert!(resumed.load(&state, 3).is_err(), "a schedule of another length");
    }
}
