//! Tests members that are rarely written. Each example passes through the type that writes it, which drops
//! unknown members.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use surmise::calibration::{
    CandidateScore, ColumnRoles, Diagnostics, FittedCandidate, HeldOutResidual, Link, RegimeSupport, Skill,
    TestedSplits, TrainingRange,
};
use surmise::collect::configuration::Configuration;
use surmise::collect::journal::Record;
use surmise::emergence::BlockMi;
use surmise::emergence::semantic::DesignInfo;
use surmise::mi::Estimate;
use surmise::study::DoneRecord;

use super::Written;

fn through<T: DeserializeOwned + Serialize>(written: &mut Written, table: &str, value: Value) {
    let typed: T = serde_json::from_value(value).unwrap_or_else(|error| panic!("{table}: {error}"));
    written.value(table, &serde_json::to_value(typed).expect("JSON"));
}

pub fn round_trips(written: &mut Written) {
    collected(written);
    calibrated(written);
    let mi = json!({"mi_nats": 1.0, "lower_nats": 0.5, "upper_nats": null, "ceiling_nats": 2.0,
        "stderr_nats": 0.1, "optimism_nats": 0.2, "flags": []});
    through::<BlockMi>(written, "block information", mi);
    let estimate = json!({"kind": "lower_bound", "mi_nats": 1.0, "lower_nats": 1.0, "upper_nats": null,
        "stderr_nats": null, "ceiling_nats": 2.0, "optimism_nats": 0.1, "n": 9, "n_distinct": 9,
        "dims": [1, 1],
        "noise_scale": 0.2, "constant_x": [], "constant_y": [], "flags": [], "ceilings": {"log_n_nats": 2.2,
        "input_entropy_nats": 2.0, "output_entropy_nats": null, "gaussian_nats": 2.0, "compared_nats": 2.0}});
    through::<Estimate>(written, "mi", estimate.clone());
    through::<Estimate>(written, "estimate", estimate);
    let design = json!({"name": "n", "sha256": "0", "prompts_sha256": "0", "relations": ["a", "b"], "sets": 4,
        "queries": 4, "form": "arrow", "bos": "off", "shots": [],
        "left_out": [{"relation": "a", "other": "b", "queries": 1}]});
    through::<DesignInfo>(written, "design", design);
    let noted = json!({"schema": {"name": "surmise-study-task", "version": 1, "tool_version": "0"}, "id": "a",
        "kind": "ask", "key": "k", "inputs": {"seed": "0"}, "files": [], "seconds": 1.0, "note": "slow"});
    through::<DoneRecord>(written, "done.json", noted);
}

fn collected(written: &mut Written) {
    let configuration = json!({"provider": "openai-chat", "base_url": "http://localhost/v1", "model": "m",
        "settings": {"max_tokens": 9, "max_tokens_key": "max_tokens", "temperature": 0.0, "top_p": null,
            "stop": [], "seed": null, "logprobs": null, "echo": false, "reasoning_effort": "low",
            "body_json": {"a": 1}},
        "without": ["temperature"], "lowered": ["logprobs"], "short_answers": true, "sources": ["moons"],
        "shots": 1, "items": 1, "seed": 0, "rendering": "text",
        "repeats": {"replicates": 1, "share": 0.0, "seed": 0},
        "grading": {"grader": "exact", "stops": [],
            "normalisation": {"ignore_case": true, "ignore_punctuation": false, "version": 2}},
        "normalisation_version": 2, "sends_task_stops": false,
        "tasks": [{"name": "moons", "sha256": "0", "n_items": 1}], "semantic": null});
    through::<Configuration>(written, "collection", configuration);
    let key = "0".repeat(64);
    let intent = json!({"record": "intent", "key": key, "attempt": 1, "probe": true, "at": "t", "task": "a",
        "item": "b", "replicate": 0, "reserve_usd": 0.1, "batch": "b-1", "path": "/p", "body": "{}"});
    through::<Record>(written, "journal: intent", intent);
    let outcome = json!({"record": "outcome", "key": key, "attempt": 1, "probe": true, "at": "t",
        "elapsed_s": 0.1, "outcome": "failed", "class": "server", "error": "e", "status": 500,
        "headers": [["a", "b"]], "body": "x", "body_base64": "eA==", "redacted": true, "cost_usd": 0.1,
        "possibly_paid": true, "implausible_usage": true, "incomplete": true, "crashed": true,
        "batch": "b-1"});
    through::<Record>(written, "journal: outcome", outcome);
    let batch = json!({"record": "batch", "batch": "b-1", "at": "t", "stage": "ended", "id": "i",
        "endpoint": "e", "n": 3, "end": "completed"});
    through::<Record>(written, "journal: batch", batch);
    // The checksum is added to each line when it is written.
    written.value("journal: batch", &json!({"crc": "00000000"}));
}

fn calibrated(written: &mut Written) {
    let columns = json!({"features": ["a"], "id": "m", "group": "f", "size": "s", "weights": "w",
        "proxy": "p",
        "proxy_size": "q", "stderr": "e", "same": {"shots": ["1"]}, "kinds": {"k": ["x"]},
        "decimal_signs": {"a": "comma"}});
    through::<ColumnRoles>(written, "columns", columns);
    written
        .value("card", &json!({"link": serde_json::to_value(Link::Logit { low: 0.0, high: 1.0 }).unwrap()}));
    let score = json!({"candidate": "ridge", "mae": 1.0, "rmse": 1.0, "link_mae": 1.0, "skill_mean": 0.1,
        "skill_size": 0.1, "unit_skill_mean": 0.1, "unit_skill_size": 0.1, "skill_interval": [0.0, 1.0],
        "spearman": 0.5, "worst_family_mae": 2.0});
    through::<CandidateScore>(written, "candidate score", score);
    let held_out = json!({"model": "m", "family": "f", "row": 0, "fold": 0, "residual": 0.1, "weight": 1.0,
        "log10_size_gap": 0.1, "gaps": {"size": 0.0, "strength": 0.0}, "proxy_gaps": [0.0, 0.0]});
    through::<HeldOutResidual>(written, "held-out row", held_out);
    let range = json!({"log10_size": [0.0, 1.0], "proxy": [[0.0, 1.0], [0.0, 1.0]],
        "first_component": [0.0, 1.0], "direction": 1.0, "first_component_sd": 1.0, "distance_components": 1,
        "distances": [0.0, 1.0]});
    through::<TrainingRange>(written, "range", range);
    let diagnostics = json!({"p": 2, "rank": 2, "condition_number": 1.0,
        "variance_inflation": [{"feature": "a", "factor": 1.0}], "imputed_cells": [{"feature": "a", "n": 1}],
        "missing_share": 0.1, "effective_dof": 2.0, "noise": {"column": "e", "n": 3, "rms": 0.1}});
    through::<Diagnostics>(written, "diagnostics", diagnostics);
    let refused = json!({"leave_model_out": 0.0, "leave_family_out": 0.0, "forward": 0.0, "backward": 0.0,
        "forward_new_family": 0.0});
    through::<TestedSplits<f64>>(written, "refused shares", refused);
    let skill = json!({"unit": 0.1, "link": 0.2});
    let skills = json!({"leave_model_out": skill, "leave_family_out": skill, "forward": skill,
        "backward": skill, "forward_new_family": skill});
    through::<TestedSplits<Skill>>(written, "procedure skills", skills);
    let unsupported = json!({"regime": "new_family", "unsupported": "too few"});
    through::<RegimeSupport>(written, "support", unsupported);
    let ridge = json!({"candidate": "ridge", "parameters": {"intercept": 0.0, "coefficients": [1.0],
        "size": 0.0,
        "proxy": 0.0, "ratio": 0.0, "floor": 0.0, "penalty": 1.0, "degrees_of_freedom": "ridge"}});
    let offsets = json!({"candidate": "ridge-family",
        "parameters": {"base": ridge, "offsets": {"f": 0.1}}});
    through::<FittedCandidate>(written, "candidate", offsets);
    let basis = json!({"mean": [0.0], "sd": [1.0], "min": [0.0], "max": [1.0], "divisor": [1.0],
        "centre": [0.0], "components": [[1.0]], "variances": [1.0], "explained": [1.0], "log10_size": 0.0,
        "log10_size_sd": 1.0, "factors": {"mean": [0.0], "loadings": [[1.0]], "noise": [0.1]}});
    let screened = json!({"candidate": "ridge",
        "parameters": {"columns": [0], "basis": basis, "fitted": ridge}});
    through::<FittedCandidate>(written, "candidate", screened);
    let forest = json!({"candidate": "forest",
        "parameters": {"with_size": false, "trees": [[0.5]], "importance": [1.0]}});
    through::<FittedCandidate>(written, "candidate", forest);
    let mut other = ridge;
    other["parameters"]["degrees_of_freedom"] = json!({"parameters": 2});
    through::<FittedCandidate>(written, "candidate", other.clone());
    let parts = json!({"candidate": "blend", "parameters": {"parts": [{"weight": 1.0, "fitted": other}]}});
    through::<FittedCandidate>(written, "candidate", parts);
}
