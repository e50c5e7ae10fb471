//! The examples at the end of each command's help. A test checks that every example parses.

/// Commands with their examples.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("surmise", &["surmise", "surmise init", "surmise measure minigpt-6 --corpus countries -o profiles"]),
    ("surmise init", &["surmise init", "surmise init study.toml --from models"]),
    ("surmise plan", &["surmise plan", "surmise plan study.toml --csv plan.csv"]),
    ("surmise run", &["surmise run", "surmise run study.toml --shard 2/4 -o study --max-memory 6G"]),
    ("surmise status", &["surmise status", "surmise status study.toml --json -"]),
    ("surmise doctor", &["surmise doctor", "surmise doctor study.toml --json doctor.json"]),
    ("surmise fetch", &["surmise fetch", "surmise fetch study.toml"]),
    (
        "surmise slurm",
        &["surmise slurm > submit.sh", "surmise slurm study.toml --array 8 --mem 16G --cpus 4 > submit.sh"],
    ),
    ("surmise merge", &["surmise merge shard-1 shard-2 -o study", "surmise merge a b c -o all"]),
    ("surmise demo", &["surmise demo -o demo", "surmise demo --windows 500 --entities 2 --json demo.json"]),
    (
        "surmise measure",
        &[
            "surmise measure minigpt-1 minigpt-6 --corpus countries --shots 1,4 -o profiles",
            "surmise measure EleutherAI/pythia-70m@step1000 --corpus nations -o profiles",
            "surmise measure minigpt-6 --corpus colours --estimand positional --entities 4 --csv rows.csv",
        ],
    ),
    (
        "surmise mi",
        &[
            "surmise mi --x states.safetensors --y states.safetensors",
            "surmise mi --x x.npy --y y.npy --estimator ksg --permutations 199 --table",
        ],
    ),
    (
        "surmise compare",
        &[
            "surmise compare minigpt-6 --texts texts.csv -o comparisons.csv",
            "surmise compare minigpt-6 --texts texts.csv --reference human --json -",
        ],
    ),
    (
        "surmise states",
        &[
            "surmise states minigpt-6 --tokens ids.safetensors --logits -o states.safetensors",
            "surmise states minigpt-6 --corpus colours --entities 4 --windows 200 -o states.safetensors",
        ],
    ),
    (
        "surmise scores",
        &[
            "surmise scores import results.json -o scores.csv",
            "surmise scores export answers --to inspect-json -o logs",
        ],
    ),
    (
        "surmise scores import",
        &[
            "surmise scores import results.json -o scores.csv",
            "surmise scores import logs run.eval helm/runs --shots 0 -o scores.csv --items items.csv",
            "surmise scores import samples_arc.jsonl --model my-model --shots 5 -o scores.csv",
        ],
    ),
    (
        "surmise scores export",
        &[
            "surmise scores export answers --to every-eval-ever -o records",
            "surmise scores export answers --to lm-eval -o results",
        ],
    ),
    (
        "surmise model",
        &[
            "surmise model minigpt-6",
            "surmise model model.gguf --json",
            "surmise model minigpt-6 --csv model.csv",
        ],
    ),
    (
        "surmise collect",
        &[
            "surmise collect completion --provider gemini --api-model NAME --dry-run -o answers",
            "surmise collect items.jsonl --provider openai-chat --api-model NAME --no-budget -o answers",
            "surmise collect items.jsonl --provider gemini --api-model NAME --no-budget --batch -o answers",
            "surmise collect rescore answers --grader number,contains",
        ],
    ),
    (
        "surmise collect semantic",
        &[
            "surmise collect semantic --corpus countries --provider ollama --api-model NAME --no-budget -o a",
            "surmise collect semantic --corpus nations --shots 1,4 --provider anthropic --api-model NAME \
             --prices prices.toml --budget-usd 5 -o a",
        ],
    ),
    (
        "surmise collect rescore",
        &["surmise collect rescore answers --grader number", "surmise collect rescore answers --ignore-case"],
    ),
    ("surmise collect repair", &["surmise collect repair answers"]),
    (
        "surmise observations",
        &[
            "surmise observations --profiles profiles --scores scores.csv -o observations.csv",
            "surmise observations --profiles profiles --answers semantic.csv --models models.csv --json",
        ],
    ),
    (
        "surmise calibrate",
        &[
            "surmise calibrate observations.csv --target semantic_share_mean -o card.json",
            "surmise calibrate scores.csv --target mmlu --features arc,gsm8k --size params_b -o card.json",
        ],
    ),
    (
        "surmise predict",
        &[
            "surmise predict observations.csv --calibration card.json -o predictions.csv",
            "surmise predict observations.csv --calibration card.json --where family!=Llama --json -",
        ],
    ),
    ("surmise card", &["surmise card card.json", "surmise card card.json --csv candidates.csv"]),
    (
        "surmise serve",
        &["surmise serve minigpt-6", "surmise serve minigpt-6 model.gguf --port 0 --key-variable SERVER_KEY"],
    ),
    (
        "surmise blind",
        &[
            "surmise blind --hide factqwen -o blind",
            "surmise blind --hide factgpt --corpus moons --shots 4 --table",
        ],
    ),
    (
        "surmise report",
        &[
            "surmise report predictions predictions.csv -o figures",
            "surmise report depth profiles --model minigpt-6 --corpus countries --format md",
        ],
    ),
    ("surmise view", &["surmise view study", "surmise view study --port 8080 --open"]),
    ("surmise cite", &["surmise cite > surmise.bib", "surmise cite study > study.bib"]),
    ("surmise methods", &["surmise methods study", "surmise methods study --format latex -o methods.tex"]),
    ("surmise list", &["surmise list models", "surmise list estimators --csv estimators.csv"]),
    (
        "surmise completions",
        &["surmise completions bash > surmise.bash", "surmise completions zsh > _surmise"],
    ),
    ("surmise man", &["surmise man > surmise.1", "surmise man -o man1"]),
];

/// The examples of a command, by its path such as `surmise collect rescore`.
pub(super) fn examples(path: &str) -> &'static [&'static str] {
    EXAMPLES.iter().find(|(verb, _)| *verb == path).map_or(&[], |(_, lines)| lines)
}
