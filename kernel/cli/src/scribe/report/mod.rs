//! stub
use crate::CliError;
use crate::scribe::source::Evidence;
pub(super) fn render(_: &Evidence) -> Result<String, CliError> {
    Ok(String::new())
}
