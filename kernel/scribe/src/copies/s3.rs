//! A store that speaks S3: how it is named, whose credentials are used, and the client under it.
//!
//! `object_store` signs, names conditions and reads answers; the connection is `ureq`'s: TLS by
//! rustls with ring, no redirect, no proxy.

#[cfg(test)]
mod tests;

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use serde::Deserialize;
use ureq::Agent;
use ureq::http::Uri;

use crate::files::{self, shown};
use crate::{CliError, Exit};

const SCHEME: &str = "s3://";
/// One answer, with its body.
const PATIENCE: Duration = Duration::from_mins(5);
const RETRIES_MAX: usize = 3;
const RETRYING_MAX: Duration = Duration::from_mins(1);
const CREDENTIALS_BYTES_MAX: u64 = 4096;

/// An S3-compatible store.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Remote {
    /// The store's address if it is not Amazon's: https, or http on this host.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The region of the bucket.
    #[arg(long, value_name = "NAME", default_value = "us-east-1")]
    region: String,
    /// {"key":"…","secret":"…"} in a file that its owner alone may read.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
}

/// Whether a place is a bucket and no folder.
pub(super) fn is_remote(place: &str) -> bool {
    place.starts_with(SCHEME)
}

/// The bucket below its prefix. Nothing is asked of it yet.
pub(super) fn open(place: &str, remote: &Remote) -> Result<Box<dyn ObjectStore>, CliError> {
    let named = place.strip_prefix(SCHEME).unwrap_or(place);
    let (bucket, prefix) = named.split_once('/').unwrap_or((named, ""));
    let bad = |cause: &str| {
        let next = "name it s3://BUCKET or s3://BUCKET/PREFIX";
        CliError::new(Exit::Usage, "STORE_NAME", place, cause, next)
    };
    let prefix = Key::parse(prefix).map_err(|error| bad(&error.to_string()))?;
    if bucket.is_empty() {
        return Err(bad("no bucket is named"));
    }
    let credentials = Credentials::read(remote.credentials.as_deref())?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&remote.region)
        .with_access_key_id(&credentials.key)
        .with_secret_access_key(&credentials.secret)
        .with_retry(RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: RETRYING_MAX,
            ..RetryConfig::default()
        });
    let mut https_only = true;
    if let Some(endpoint) = &remote.endpoint {
        https_only = is_https(endpoint)?;
        builder = builder.with_endpoint(endpoint).with_allow_http(!https_only);
    }
    let store = builder.with_http_connector(Connector { https_only }).build();
    let store = store.map_err(|error| bad(&error.to_string()))?;
    Ok(Box::new(PrefixStore::new(store, prefix)))
}

/// Whether an endpoint is spoken to by TLS; without it only on this host.
fn is_https(endpoint: &str) -> Result<bool, CliError> {
    let bad = |cause: &str| {
        let next = "name it https://HOST, or http://127.0.0.1:PORT";
        Err(CliError::new(Exit::Usage, "STORE_ENDPOINT", endpoint, cause, next))
    };
    let Ok(uri) = endpoint.parse::<Uri>() else { return bad("not an address") };
    if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
        return bad("a host and perhaps a port, and nobody's name or password");
    }
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_ours = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(true),
        Some("http") if is_ours => Ok(false),
        _ => bad("without TLS only a store on this host is spoken to"),
    }
}

/// Who asks the store. Never shown, never written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    key: String,
    secret: String,
}

impl Credentials {
    fn read(file: Option<&Path>) -> Result<Self, CliError> {
        let refused = |path: &Path, code: &str, cause: &str| {
            let next = "put {\"key\":\"…\",\"secret\":\"…\"} into a file of mode 0600 and name it \
                        with --credentials";
            CliError::new(Exit::BadConfig, code, &shown(path), cause, next)
        };
        let Some(path) = file else {
            let cause = "a store needs credentials, and none are named";
            return Err(refused(Path::new("--credentials"), "CREDENTIALS_MISSING", cause));
        };
        let found = fs::symlink_metadata(path)
            .map_err(|error| files::io_error(path, &error, "name the file of credentials"))?;
        if !found.is_file() || found.mode() & 0o077 != 0 {
            let cause = "not a regular file that its owner alone may read";
            return Err(refused(path, "CREDENTIALS_OPEN", cause));
        }
        let bytes = files::read(path, CREDENTIALS_BYTES_MAX)?;
        // The reader's own words may quote what stands in the file.
        let Ok(read) = serde_json::from_slice(&bytes) else {
            let cause = "not of the form {\"key\",\"secret\"}";
            return Err(refused(path, "CREDENTIALS_MALFORMED", cause));
        };
        Ok(read)
    }
}

#[derive(Debug)]
struct Connector {
    https_only: bool,
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let config = Agent::config_builder()
            .https_only(self.https_only)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(PATIENCE));
        Ok(HttpClient::new(Client(config.build().into())))
    }
}

/// One request at a time, and nothing else to do meanwhile: it may block.
#[derive(Debug)]
struct Client(Agent);

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let has_body = parts.method == "PUT" || parts.method == "POST";
        let answer = if has_body {
            self.0.run(ureq::http::Request::from_parts(parts, &body[..]))
        } else {
            self.0.run(ureq::http::Request::from_parts(parts, ()))
        };
        let (parts, mut body) = answer.map_err(no_answer)?.into_parts();
        let bytes = body.with_config().limit(super::home::FILE_BYTES_MAX).read_to_vec();
        let bytes = bytes.map_err(no_answer)?;
        Ok(HttpResponse::from_parts(parts, bytes.into()))
    }
}

/// What may be tried again by itself: every request here can be repeated without harm.
fn no_answer(error: ureq::Error) -> HttpError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's list of errors is open")]
    let kind = match &error {
        ureq::Error::Io(_) | ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => {
            HttpErrorKind::Connect
        }
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
