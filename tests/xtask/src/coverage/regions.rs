//! What LLVM's tools say, and which of it counts.

use super::test_code::TestCode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The kind of a region that is code. Others are gaps, expansions and branches.
const CODE: u64 = 0;

/// Where a piece of code lies: line and column, both from one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Region {
    /// From the crate's `src`.
    pub(crate) file: String,
    pub(crate) from: (usize, usize),
    pub(crate) to: (usize, usize),
}

impl Region {
    pub(crate) fn place(&self) -> String {
        let ((line, column), (line_end, column_end)) = (self.from, self.to);
        format!("{}:{line}:{column}-{line_end}:{column_end}", self.file)
    }
}

/// Each region once, however many programs and types it was compiled for, with the most often
/// that any of them ran it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    regions: BTreeMap<Region, u64>,
}

impl Report {
    /// Reads an export of `llvm-cov`; what lies outside of `sources`, or is a test, is left out.
    pub(crate) fn read(export: &str, sources: &Path) -> Result<Self, String> {
        let export: Value = serde_json::from_str(export).map_err(|error| error.to_string())?;
        let functions = export.pointer("/data/0/functions").and_then(Value::as_array);
        let mut report = Self::default();
        for function in functions.ok_or("llvm-cov's export has no functions")? {
            report.add(function, sources).ok_or("llvm-cov's export has another form")?;
        }
        if report.regions.is_empty() {
            return Err(format!("no function of {} was compiled", sources.display()));
        }
        let tests = TestCode::of(sources);
        report.regions.retain(|region, _| !tests.holds(&region.file, region.from.0));
        Ok(report)
    }

    fn add(&mut self, function: &Value, sources: &Path) -> Option<()> {
        let files = function.get("filenames")?.as_array()?;
        for region in function.get("regions")?.as_array()? {
            let numbers: Vec<u64> =
                region.as_array()?.iter().map(Value::as_u64).collect::<Option<_>>()?;
            let [from, from_column, to, to_column, count, file, _, kind] = *numbers.as_slice()
            else {
                return None;
            };
            let file = Path::new(files.get(usize::try_from(file).ok()?)?.as_str()?);
            let Ok(inside) = file.strip_prefix(sources) else { continue };
            if kind != CODE {
                continue;
            }
            let at = |line, column| Some((usize::try_from(line).ok()?, column_of(column)?));
            let region = Region {
                file: inside.to_string_lossy().into_owned(),
                from: at(from, from_column)?,
                to: at(to, to_column)?,
            };
            let most = self.regions.entry(region).or_default();
            *most = count.max(*most);
        }
        Some(())
    }

    /// How many regions there are.
    pub(crate) fn count(&self) -> usize {
        self.regions.len()
    }

    /// Those that nothing ran.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter().filter(|(_, count)| **count == 0).map(|(region, _)| region)
    }

    /// Run and in all, by file and in sum.
    pub(crate) fn summary(&self) -> String {
        let mut files: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (region, count) in &self.regions {
            let (run, all) = files.entry(&region.file).or_default();
            *run += usize::from(*count > 0);
            *all += 1;
        }
        let sum = files.values().fold((0, 0), |(run, all), file| (run + file.0, all + file.1));
        let line =
            |(name, (run, all)): (&str, (usize, usize))| format!("{run:>5} of {all:>5}  {name}");
        let lines = files.into_iter().map(line).chain([line(("in all", sum))]);
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn column_of(column: u64) -> Option<usize> {
    usize::try_from(column).ok()
}

/// The test programs among what cargo says it built.
pub(crate) fn programs(messages: &str) -> Vec<PathBuf> {
    let of_a_test = |message: Value| {
        let test = message.pointer("/profile/test").and_then(Value::as_bool) == Some(true);
        let program = message.get("executable").and_then(Value::as_str).map(PathBuf::from);
        program.filter(|_| test)
    };
    messages.lines().filter_map(|line| of_a_test(serde_json::from_str(line).ok()?)).collect()
}

#[cfg(test)]
mod tests;
