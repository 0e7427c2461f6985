//! A mail server that keeps what it is sent.

use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// One e-mail, and how it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub(crate) encrypted: bool,
    /// What came with `AUTH PLAIN`, in Base64.
    pub(crate) login: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
}

/// A server on a port of its own, which stops when dropped.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    task: JoinHandle<()>,
}

impl MailServer {
    /// With `secure`, it offers STARTTLS, with a certificate that nobody signed.
    pub(crate) async fn start(secure: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::<Mutex<Vec<Mail>>>::default();
        let (kept, acceptor) = (mails.clone(), secure.then(acceptor));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, acceptor) = (kept.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
                    let Some(acceptor) = converse(&mut stream, acceptor, false, &kept).await else { return };
                    let Ok(stream) = acceptor.accept(stream.into_inner()).await else { return };
                    converse(&mut BufReader::new(stream), None, true, &kept).await;
                });
            }
        });
        Self { port, mails, task }
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor() -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Speaks SMTP until the other side ends, or asks for TLS.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    acceptor: Option<TlsAcceptor>,
    encrypted: bool,
    mails: &Mutex<Vec<Mail>>,
) -> Option<TlsAcceptor> {
    let mut mail = Mail { encrypted, ..Mail::default() };
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" if acceptor.is_some() => "250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
            "EHLO" => "250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n",
            "STARTTLS" => {
                stream.write_all(b"220 go ahead\r\n").await.ok()?;
                return acceptor;
            }
            "AUTH" => {
                mail.login = rest.trim_start_matches("PLAIN ").to_owned();
                "235 welcome\r\n"
            }
            "MAIL" => {
                mail.from = address(rest);
                "250 ok\r\n"
            }
            "RCPT" if rest.contains("unknown@") => "550 no such user\r\n",
            "RCPT" => {
                mail.to.push(address(rest));
                "250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                while !mail.text.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut mail.text).await.ok()?;
                }
                mails.lock().unwrap().push(mail.clone());
                "250 kept\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "502 what\r\n",
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// What stands between `<` and `>`.
fn address(text: &str) -> String {
    text.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}
