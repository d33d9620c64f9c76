//! The way to a gateway: where it is, what to show it, how to read its answers.

use super::failure::Failure;
use ploy_gateway::contract::ProblemJson;
use reqwest::{Client, Method, Response, StatusCode, Url, header};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The gateway answers or gives up after 5 s.
const TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Where the first start of `ploy up` writes the token, below the data directory.
const TOKEN_FILE: &str = "token";

/// Which gateway, and how to show its answers.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Gateway")]
pub(super) struct Connection {
    /// Where the gateway is
    #[arg(
        long,
        value_name = "URL",
        env = "PLOY_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: Url,
    /// The token; without it, the file `token` in the data directory
    #[arg(long, value_name = "TOKEN", env = "PLOY_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Where `ploy up` keeps its data
    #[arg(long, value_name = "DIR", default_value = ".ploy")]
    data_dir: PathBuf,
    /// Print the gateway's JSON instead of tables
    #[arg(long)]
    pub(super) json: bool,
}

/// A gateway to be asked.
#[derive(Debug)]
pub(super) struct Gateway {
    client: Client,
    url: Url,
    token: Option<String>,
    token_file: PathBuf,
}

/// A command: what is asked, under which key, with which body.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) params: &'a [(&'a str, String)],
    pub(super) key: &'a str,
    pub(super) body: Option<Value>,
}

impl Gateway {
    pub(super) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        let token_file = connection.data_dir.join(TOKEN_FILE);
        let given = connection.token.clone();
        Ok(Self {
            token: given.or_else(|| read_token(&token_file)),
            url: connection.url.clone(),
            client,
            token_file,
        })
    }

    /// Where it is.
    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// Reads something.
    pub(super) async fn get(
        &self,
        path: &str,
        params: &[(&str, String)],
    ) -> Result<String, Failure> {
        self.good(self.send(self.request(Method::GET, path, params)?).await?)
            .await
    }

    /// Reads something whose body counts whatever its status is.
    pub(super) async fn look(&self, path: &str) -> Result<(StatusCode, String), Failure> {
        let response = self.send(self.request(Method::GET, path, &[])?).await?;
        let status = response.status();
        Ok((status, self.body(response).await?))
    }

    /// Gives a command.
    ///
    /// # Errors
    /// [`Failure::NoToken`] before anything is sent when there is no token.
    pub(super) async fn command(&self, order: Order<'_>) -> Result<String, Failure> {
        if self.token.is_none() {
            let file = self.token_file.clone();
            return Err(Failure::NoToken { file });
        }
        let mut request = self
            .request(order.method, order.path, order.params)?
            .header("idempotency-key", order.key);
        if let Some(body) = order.body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let sent = self.send(request).await;
        let answer = match sent {
            Ok(response) => self.good(response).await,
            Err(failure) => Err(failure),
        };
        answer.map_err(|failure| failure.with_key(order.key))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        params: &[(&str, String)],
    ) -> Result<reqwest::RequestBuilder, Failure> {
        let mut url = self.url.join(path).map_err(|_| Failure::Foreign {
            url: self.url.clone(),
            status: None,
        })?;
        if !params.is_empty() {
            url.query_pairs_mut().extend_pairs(params);
        }
        let request = self.client.request(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, Failure> {
        request.send().await.map_err(|source| self.lost(source))
    }

    async fn body(&self, response: Response) -> Result<String, Failure> {
        response.text().await.map_err(|source| self.lost(source))
    }

    async fn good(&self, response: Response) -> Result<String, Failure> {
        let status = response.status();
        let raw = self.body(response).await?;
        if status.is_success() {
            return Ok(raw);
        }
        match serde_json::from_str::<ProblemJson>(&raw) {
            Ok(problem) => Err(Failure::Refused {
                problem: Box::new(problem),
                raw,
                key: None,
            }),
            Err(_) => Err(self.foreign(status)),
        }
    }

    /// Understands an answer.
    pub(super) fn read<T: DeserializeOwned>(&self, raw: &str) -> Result<T, Failure> {
        serde_json::from_str(raw).map_err(|source| Failure::Unreadable { source })
    }

    fn lost(&self, source: reqwest::Error) -> Failure {
        Failure::Lost {
            url: self.url.clone(),
            key: None,
            // The URL is in the message already.
            source: source.without_url(),
        }
    }

    fn foreign(&self, status: StatusCode) -> Failure {
        Failure::Foreign {
            url: self.url.clone(),
            status: Some(status),
        }
    }
}

/// A text that ends with its line.
pub(super) fn line(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

fn read_token(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let token = text.trim();
    (!token.is_empty()).then(|| token.to_owned())
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
