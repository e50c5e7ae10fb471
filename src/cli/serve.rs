//! `surmise serve`: serves local checkpoints with an OpenAI-compatible API.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

use super::{Fetching, Opening, config_notes, print, status};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::serve::{ServerSettings, serve};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Models to serve: folders, ids on a Hugging Face hub, or names from `surmise list models`; a request
    /// selects a model by its id
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    /// Port to listen on; 0 selects a free port; the base URL is printed on stdout
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Address to listen on; the default is reachable from this machine only
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: IpAddr,
    /// Number of sequences per model that are decoded at the same time
    #[arg(long, default_value_t = 16, value_name = "N")]
    max_concurrent: usize,
    /// Number of sequences per model that may wait; further requests get status 503
    #[arg(long, default_value_t = 1024, value_name = "N")]
    max_waiting: usize,
    /// Timeout of a request in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    timeout_s: u64,
    /// Environment variable with the key that clients must send; without this flag, the server accepts every
    /// client that can reach the address
    #[arg(long, value_name = "NAME")]
    key_variable: Option<String>,
    /// Seed for requests without a seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    fetching: Fetching,
    #[command(flatten)]
    opening: Opening,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    for (name, count) in [("--max-concurrent", flags.max_concurrent), ("--max-waiting", flags.max_waiting)] {
        if !(1..=65_536).contains(&count) {
            return Err(Error::Parameter {
                name,
                reason: format!("must be from 1 to 65536, but is {count}"),
            });
        }
    }
    if !(1..=86_400).contains(&flags.timeout_s) {
        return Err(Error::Parameter { name: "--timeout-s", reason: "must be from 1 to 86400".into() });
    }
    if flags.opening.device != crate::model::Device::Cpu {
        return Err(Error::Parameter {
            name: "--device",
            reason: "must be cpu, because the key-value cache works on the CPU only".into(),
        });
    }
    let key = flags.key_variable.as_ref().map(|name| {
        std::env::var(name).ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).ok_or_else(
            || {
                let reason = format!(
                    "names {name}, which is unset or empty; set it to the key that clients must send"
                );
                Error::Parameter { name: "--key-variable", reason }
            },
        )
    });
    let hub = flags.fetching.hub(&flags.models, quiet)?;
    let settings = ServerSettings {
        host: flags.host,
        port: flags.port,
        max_concurrent: flags.max_concurrent,
        max_waiting: flags.max_waiting,
        timeout: Duration::from_secs(flags.timeout_s),
        key: key.transpose()?,
        seed: flags.seed,
    };
    if settings.key.is_none() && !settings.host.is_loopback() {
        status(&format!(
            "warning: the server accepts every client that can reach {}; set --key-variable NAME to require \
             a key",
            settings.host
        ));
    }
    let load = |name: &String| Model::load_with(name, flags.opening.clone().into(), &hub);
    let models = flags.models.iter().map(load).collect::<Result<Vec<_>>>()?;
    models.iter().for_each(|model| config_notes(&model.info, quiet));
    let ids: Vec<String> = models.iter().map(|model| model.info.id.clone()).collect();
    if let Some(id) = ids.iter().enumerate().find_map(|(i, id)| ids[..i].contains(id).then_some(id)) {
        return Err(Error::Parameter {
            name: "MODEL",
            reason: format!("names two models with the same id `{id}`; serve only one of them"),
        });
    }
    serve(models, &settings, |url| {
        print(format!("{url}\n").as_bytes()).unwrap_or_default();
        if !quiet {
            status(&format!("serving {} at {url}; interrupt (Ctrl-C) to stop", ids.join(", ")));
        }
    })
}
