//! `surmise serve`: local checkpoints as an OpenAI-compatible server.

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;

use super::{Fetching, Opening, config_notes, print, status};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::serve::{ServerSettings, serve};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Folders, ids on a Hugging Face hub, or names from `surmise list models`; requests choose among them
    /// by their id
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    /// Port; 0 takes a free one, and the base URL is printed on stdout
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Address to listen on; only this machine reaches the default
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: IpAddr,
    /// Sequences of one model that are decoded at once
    #[arg(long, default_value_t = 16, value_name = "N")]
    max_concurrent: usize,
    /// Sequences of one model that may wait; further requests get status 503
    #[arg(long, default_value_t = 1024, value_name = "N")]
    max_waiting: usize,
    /// Timeout of a request in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    timeout_s: u64,
    /// Environment variable with a key that clients must send; without it anyone who reaches the address is
    /// served
    #[arg(long, value_name = "NAME")]
    key_variable: Option<String>,
    /// Seed of requests without one
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
                reason: format!("must be from 1 to 65536, and is {count}"),
            });
        }
    }
    if !(1..=86_400).contains(&flags.timeout_s) {
        return Err(Error::Parameter { name: "--timeout-s", reason: "must be from 1 to 86400".into() });
    }
    if flags.opening.device != crate::model::Device::Cpu {
        return Err(Error::Parameter {
            name: "--device",
            reason: "must be cpu: the cache of keys and values works on the CPU only".into(),
        });
    }
    let key = flags.key_variable.as_ref().map(|name| {
        std::env::var(name).ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).ok_or_else(
            || {
                let reason = format!(
                    "names {name}, which is not set in the environment; set it to the key clients must send"
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
            "warning: anyone who reaches {} is served; --key-variable NAME asks clients for a key",
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
            reason: format!("is given twice under the id `{id}`"),
        });
    }
    serve(models, &settings, |url| {
        print(format!("{url}\n").as_bytes()).unwrap_or_default();
        if !quiet {
            status(&format!("serving {} at {url}; interrupt (Ctrl-C) to stop", ids.join(", ")));
        }
    })
}
