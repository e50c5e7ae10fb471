//! The machine that the process runs on, as other machines see it.

/// Its name, or `this machine` where it has none.
pub(crate) fn name() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this machine".into())
}

/// What distinguishes process numbers that can be compared: the start of the machine, and the namespace of
/// processes, which differs between containers of one machine. Nothing where the system does not tell.
pub(crate) fn process_space() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}
