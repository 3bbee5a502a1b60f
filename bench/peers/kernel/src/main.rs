//! delta-kernel-rs: opens a table and lists its files. Arguments: the table, its version or `latest`, and `list`, or a column, its type
//! (`date` or `long`) and the value (days since 1970 for a date) that the files must be able to have.

use std::sync::Arc;
use std::time::Instant;

use delta_kernel::expressions::{Predicate, PredicateRef, Scalar, column_expr};
use delta_kernel::{Expression, Snapshot};
use delta_kernel_default_engine::DefaultEngineBuilder;
use delta_kernel_default_engine::storage::store_from_url;
use sha2::{Digest, Sha256};
use url::Url;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let version = match args[1].as_str() {
        "latest" => None,
        version => Some(version.parse::<u64>()?),
    };
    let url = Url::from_directory_path(std::fs::canonicalize(&args[0])?).map_err(|()| "no path of a table")?;
    let start = Instant::now();
    let paths = list(&url, version, predicate(&args[2..])?)?;
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    let peak = peak_rss_bytes();
    let sample = serde_json::json!({ "ms": ms, "peakRssBytes": peak, "answer": answer(paths) });
    println!("{sample}");
    Ok(())
}

fn list(url: &Url, version: Option<u64>, predicate: Option<PredicateRef>) -> Result<Vec<String>, Failure> {
    let engine = DefaultEngineBuilder::new(store_from_url(url)?).build();
    let mut builder = Snapshot::builder_for(url.as_str());
    if let Some(version) = version {
        builder = builder.at_version(version);
    }
    let scan = builder.build(&engine)?.scan_builder().with_predicate(predicate).build()?;
    let mut paths = Vec::new();
    for metadata in scan.scan_metadata(&engine)? {
        paths = metadata?.visit_scan_files(paths, |paths: &mut Vec<String>, file| paths.push(file.path))?;
    }
    Ok(paths)
}

fn predicate(args: &[String]) -> Result<Option<PredicateRef>, Failure> {
    let [column, kind, value] = args else { return Ok(None) };
    let value = match kind.as_str() {
        "date" => Scalar::Date(value.parse()?),
        _ => Scalar::Long(value.parse()?),
    };
    let column: Expression = match column.as_str() {
        "day" => column_expr!("day"),
        _ => column_expr!("id"),
    };
    Ok(Some(Arc::new(Predicate::eq(column, Expression::literal(value)))))
}

fn answer(mut paths: Vec<String>) -> serde_json::Value {
    paths.sort();
    let mut hash = Sha256::new();
    for path in &paths {
        hash.update(path.as_bytes());
        hash.update(b"\n");
    }
    serde_json::json!({ "files": paths.len(), "sha256": format!("{:x}", hash.finalize()) })
}

fn peak_rss_bytes() -> i64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills the struct that it is given.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    usage.ru_maxrss * 1024
}
