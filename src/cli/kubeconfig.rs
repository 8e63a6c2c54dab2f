//! Which API server a kubeconfig names, by which proxy it is reached, and as whom it is asked.

use std::ffi::OsString;
use std::path::PathBuf;

use kube::Config;
use kube::config::{Cluster, Context, ExecAuthCluster, Kubeconfig, KubeconfigError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// What a client takes from a kubeconfig, in this context or its current one.
///
/// kube's own way there (5.0.0) takes `HTTPS_PROXY` for the API server where the file names no proxy, lets `NO_PROXY` decide about the
/// proxy instead of the server, and gives up where it can't read that. The variables are for the way out: here the file alone is asked.
///
/// # Errors
/// One sentence, with nothing in it of what may be secret.
pub fn config(kubeconfig: &Kubeconfig, context: Option<&str>) -> Result<Config, String> {
    let name = context
        .or(kubeconfig.current_context.as_deref())
        .ok_or("the kubeconfig does not say which context is current")?;
    let context = context_of(kubeconfig, name).ok_or_else(|| format!("the kubeconfig has no context {name:?}"))?;
    let name = &context.cluster;
    let cluster = cluster_of(kubeconfig, name).ok_or_else(|| format!("the kubeconfig has no cluster {name:?}"))?;
    let wrong = |what: &str| format!("cluster {name:?} of the kubeconfig {what}");

    let server = cluster.server.as_deref().ok_or_else(|| wrong("names no server"))?;
    let mut config = Config::new(server.parse().map_err(|_| wrong("has a server that is no URL"))?);
    config.proxy_url = proxy(cluster).map_err(wrong)?;
    if let Some(namespace) = &context.namespace {
        config.default_namespace.clone_from(namespace);
    }
    // The form in which sign-in programs are told of a cluster: with what its file of authorities holds.
    let told = ExecAuthCluster::try_from(cluster).map_err(|error| error.to_string())?;
    if let Some(pem) = &told.certificate_authority_data {
        let authorities: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(pem).map(|one| one.map(|one| one.to_vec())).collect();
        config.root_cert = Some(authorities.map_err(|_| wrong("has a certificate authority that is no PEM"))?);
    }
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    // A user who is not there is nobody, as for kubectl.
    let user = context.user.as_ref().and_then(|user| kubeconfig.auth_infos.iter().find(|it| it.name == *user));
    config.auth_info = user.and_then(|user| user.auth_info.clone()).unwrap_or_default();
    if let Some(exec) = config.auth_info.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
        exec.cluster = Some(told);
    }
    Ok(config)
}

/// The files that are named there, merged, as kubectl does: one that is not there is passed over, as long as there is another.
///
/// # Errors
/// Why one can't be read.
pub fn usual(named: Option<OsString>) -> Result<Kubeconfig, KubeconfigError> {
    let named = named.unwrap_or_default();
    let there: Vec<PathBuf> = std::env::split_paths(&named).filter(|path| path.is_file()).collect();
    if there.is_empty() {
        return Kubeconfig::read();
    }
    there.iter().try_fold(Kubeconfig::default(), |merged, path| merged.merge(Kubeconfig::read_from(path)?))
}

fn context_of<'a>(kubeconfig: &'a Kubeconfig, name: &str) -> Option<&'a Context> {
    kubeconfig.contexts.iter().find(|it| it.name == name)?.context.as_ref()
}

fn cluster_of<'a>(kubeconfig: &'a Kubeconfig, name: &str) -> Option<&'a Cluster> {
    kubeconfig.clusters.iter().find(|it| it.name == name)?.cluster.as_ref()
}

/// The proxy that a cluster names. A URL may hold a password: it is not repeated where it is wrong.
fn proxy(cluster: &Cluster) -> Result<Option<http::Uri>, &'static str> {
    let Some(url) = cluster.proxy_url.as_deref().filter(|url| !url.is_empty()) else { return Ok(None) };
    let url: http::Uri = url.parse().map_err(|_| "has a proxy-url that is no URL")?;
    match url.scheme_str() {
        Some("http" | "https" | "socks5") => Ok(Some(url)),
        _ => Err("has a proxy-url that does not begin with http://, https:// or socks5://"),
    }
}

#[cfg(test)]
mod tests {
    use kube::Client;
    use tokio::io::{AsyncBufReadExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    fn with(cluster: &str) -> Kubeconfig {
        let text = format!(
            "
apiVersion: v1
kind: Config
current-context: here
contexts:
- name: here
  context: {{ cluster: contoso, user: me, namespace: backup }}
- name: elsewhere
  context: {{ cluster: fabrikam, user: nobody }}
clusters:
- name: contoso
  cluster: {{ server: 'https://10.0.0.1:6443', {cluster} }}
- name: fabrikam
  cluster: {{ server: 'https://10.0.0.2:6443' }}
users:
- name: me
  user: {{ token: secret, exec: {{ apiVersion: client.authentication.k8s.io/v1, command: sign-in, provideClusterInfo: true }} }}
"
        );
        Kubeconfig::from_yaml(&text).unwrap()
    }

    fn proxy_of(cluster: &str) -> Result<Option<String>, String> {
        Ok(config(&with(cluster), None)?.proxy_url.map(|url| url.to_string()))
    }

    #[test]
    fn a_file_that_is_not_there_is_passed_over_as_long_as_there_is_another() {
        let path = std::env::temp_dir().join(format!("backstay-kubeconfig-{}", std::process::id()));
        std::fs::write(&path, "apiVersion: v1\nkind: Config\ncurrent-context: here\n").unwrap();
        let both = std::env::join_paths([std::path::Path::new("/nowhere/config"), &path]).unwrap();
        assert_eq!(usual(Some(both)).unwrap().current_context.as_deref(), Some("here"));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn the_proxy_is_the_one_that_the_kubeconfig_names() {
        assert_eq!(proxy_of("proxy-url: 'http://127.0.0.1:9'"), Ok(Some("http://127.0.0.1:9/".to_owned())));
        assert_eq!(proxy_of("proxy-url: ''"), Ok(None));
        assert_eq!(proxy_of(""), Ok(None));
    }

    #[tokio::test]
    async fn each_kind_of_proxy_that_kubectl_knows_makes_a_client() {
        for scheme in ["http", "https", "socks5"] {
            let config = config(&with(&format!("proxy-url: '{scheme}://127.0.0.1:9'")), None).unwrap();
            assert!(Client::try_from(config).is_ok(), "{scheme}");
        }
    }

    #[test]
    fn a_proxy_of_another_kind_is_refused_in_one_sentence_that_does_not_repeat_it() {
        for (url, why) in [
            ("ftp://me:secret@127.0.0.1:9", "does not begin with http://, https:// or socks5://"),
            ("127.0.0.1:3128", "does not begin with http://, https:// or socks5://"),
            ("http://me:secret word@", "is no URL"),
        ] {
            let said = proxy_of(&format!("proxy-url: '{url}'")).unwrap_err();
            assert_eq!(said, format!("cluster \"contoso\" of the kubeconfig has a proxy-url that {why}"));
        }
    }

    /// It needs variables, which a process with threads can't set: so it runs itself with them.
    #[test]
    fn nothing_is_taken_from_the_environment() {
        if std::env::var_os("HTTPS_PROXY").is_some_and(|it| it == "http://127.0.0.1:7") {
            assert_eq!(proxy_of(""), Ok(None));
            assert_eq!(proxy_of("proxy-url: 'http://127.0.0.1:9'"), Ok(Some("http://127.0.0.1:9/".to_owned())));
            return;
        }
        let name = std::thread::current().name().unwrap().to_owned();
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again.args([name.as_str(), "--exact"]).env("HTTPS_PROXY", "http://127.0.0.1:7");
        for no_proxy in ["", "127.0.0.1", "*", ",/var/run/docker.sock,"] {
            let output = again.env("NO_PROXY", no_proxy).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("1 passed"), "{no_proxy:?}: {said}");
        }
    }

    #[tokio::test]
    async fn what_is_asked_of_the_api_server_goes_through_the_proxy() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("proxy-url: 'http://{}'", listener.local_addr().unwrap());
        let mut kubeconfig = with(&proxy);
        // Nobody signs in here.
        kubeconfig.auth_infos.clear();
        let client = Client::try_from(config(&kubeconfig, None).unwrap()).unwrap();
        let asked = tokio::spawn(async move { client.apiserver_version().await.map(|_| ()) });
        let long = std::time::Duration::from_secs(10);
        let (stream, _) = tokio::time::timeout(long, listener.accept()).await.expect("the proxy is asked").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.unwrap();
        assert_eq!(line.trim_end(), "CONNECT 10.0.0.1:6443 HTTP/1.1");
        asked.abort();
    }

    #[test]
    fn the_rest_is_as_the_context_says() {
        let config_of =
            |context: Option<&str>| config(&with("tls-server-name: api, insecure-skip-tls-verify: true"), context);
        let here = config_of(None).unwrap();
        assert_eq!(here.cluster_url, "https://10.0.0.1:6443");
        assert_eq!((here.default_namespace.as_str(), here.tls_server_name.as_deref()), ("backup", Some("api")));
        assert!(here.accept_invalid_certs && here.root_cert.is_none() && here.auth_info.token.is_some());
        let told = here.auth_info.exec.unwrap().cluster.unwrap();
        assert_eq!(told.server.as_deref(), Some("https://10.0.0.1:6443"));

        let elsewhere = config_of(Some("elsewhere")).unwrap();
        assert_eq!(
            (elsewhere.cluster_url.to_string().as_str(), elsewhere.default_namespace.as_str()),
            ("https://10.0.0.2:6443/", "default")
        );
        assert!(!elsewhere.accept_invalid_certs && elsewhere.auth_info.token.is_none());

        assert_eq!(config_of(Some("nowhere")).unwrap_err(), "the kubeconfig has no context \"nowhere\"");
        let mut kubeconfig = with("");
        kubeconfig.current_context = None;
        assert_eq!(config(&kubeconfig, None).unwrap_err(), "the kubeconfig does not say which context is current");
        kubeconfig.clusters.clear();
        assert_eq!(config(&kubeconfig, Some("here")).unwrap_err(), "the kubeconfig has no cluster \"contoso\"");
    }

    #[test]
    fn certificate_authorities_are_trusted_in_either_form() {
        use base64::Engine as _;
        let made = rcgen::generate_simple_self_signed(vec!["api".to_owned()]).unwrap();
        let data = base64::engine::general_purpose::STANDARD.encode(made.cert.pem());
        let trusted = config(&with(&format!("certificate-authority-data: {data}")), None).unwrap().root_cert.unwrap();
        assert_eq!(trusted, [made.cert.der().to_vec()]);
        let file = std::env::temp_dir().join(format!("backstay-authority-{}.pem", std::process::id()));
        std::fs::write(&file, made.cert.pem()).unwrap();
        let trusted = config(&with(&format!("certificate-authority: '{}'", file.display())), None).unwrap().root_cert;
        std::fs::remove_file(&file).unwrap();
        assert_eq!(trusted.unwrap(), [made.cert.der().to_vec()]);
    }
}
