//! Defines the rivals, which are common methods of prediction. All rivals are fitted on the same rows, with
//! missing cells filled with the median of the fitted rows.

mod design;
mod forest;
mod gaussian_process;
mod linear;
mod lines;

pub use design::Setting;

/// A rival.
pub trait Rival: Sync {
    /// The name in tables.
    fn name(&self) -> &'static str;

    /// One prediction for each row to predict; `None` if the rival cannot be fitted.
    fn predict(&self, setting: &Setting) -> Option<Vec<f64>>;
}

/// All rivals, the mean first.
pub static ALL: [&dyn Rival; 11] = [
    &lines::Mean,
    &lines::SIZE_LINE,
    &lines::SIZE_LOGIT,
    &lines::COMPUTE_LINE,
    &lines::COMPUTE_LOGIT,
    &linear::RIDGE,
    &linear::LOGIT_RIDGE,
    &linear::PCA_RIDGE,
    &linear::LOGIT_PCA,
    &forest::Forest,
    &gaussian_process::GaussianProcess,
];
