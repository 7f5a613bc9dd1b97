//! Options of `sluicegate kubeconfig`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::values::path_parser;

/// Options of `sluicegate kubeconfig`.
#[derive(Debug, Args)]
pub(crate) struct KubeconfigOptions {
    /// Data folder of the gateway, as in `sluicegate run --api --data`
    ///
    /// [default: the folder of a gateway without --data, $XDG_RUNTIME_DIR/sluicegate or, without
    /// that variable, /run/sluicegate for root and sluicegate-UID in the temporary folder]
    #[arg(long, env = "SLUICEGATE_DATA", value_name = "DIR", value_parser = path_parser())]
    pub(crate) data: Option<PathBuf>,

    /// File to write, with mode 0600 [default: standard output]
    ///
    /// Only a file that this command wrote is replaced.
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    pub(crate) output: Option<PathBuf>,

    /// Show the token if standard output is a terminal
    #[arg(long)]
    pub(crate) show_token: bool,

    /// URL of the API for clients, such as https://gateway.example.com:6080
    ///
    /// The default is the address of the gateway. The host must be the bound address, a name in the
    /// certificate or an --api-host of the gateway.
    #[arg(long, value_name = "URL", value_parser = parse_url)]
    pub(crate) server: Option<String>,

    /// PEM file with the authority of the certificate of --api-certificate
    ///
    /// Without it, clients use the authorities of their operating system for such a certificate.
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    pub(crate) certificate_authority: Option<PathBuf>,

    /// File with the token of another user, such as one of `sluicegate run --tokens`
    ///
    /// The default is the token of the administrator, which allows everything. The user is named
    /// after the file: alice for alice.token.
    #[arg(long, value_name = "FILE", value_parser = path_parser())]
    pub(crate) token_file: Option<PathBuf>,

    /// Name of the cluster, the user and the context [default: USER@HOST:PORT]
    ///
    /// The names must differ if KUBECONFIG contains several files. By default, the cluster is
    /// HOST:PORT.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: Option<String>,
}

/// Parses a URL with https, since kubectl does not send a token without TLS.
fn parse_url(text: &str) -> Result<String, &'static str> {
    let expected = "expected a URL that begins with https://, such as https://192.0.2.10:6080";
    let rest = text.strip_prefix("https://").ok_or(expected)?;
    let is_valid = !rest.is_empty()
        && !rest.starts_with('/')
        && rest.bytes().all(|byte| byte.is_ascii_graphic())
        && !rest.contains(['?', '#', '@']);
    is_valid.then(|| text.to_owned()).ok_or(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_has_a_scheme_and_a_host() {
        for good in ["https://a", "https://[::1]:6080", "https://a.example:1/path"] {
            assert_eq!(parse_url(good), Ok(good.to_owned()));
        }
        for bad in
            ["", "a:6080", "http://a", "https://", "https:///x", "https://u@a", "https://a b"]
        {
            assert!(parse_url(bad).is_err(), "{bad}");
        }
    }
}
