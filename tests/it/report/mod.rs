#[cfg(unix)]
mod browser;
mod figures;
mod page;
mod page_limits;
