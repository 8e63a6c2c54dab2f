//! How does a test start a world, and speak with it?

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::calls::Call;
use crate::contract::Checks;
use crate::engine::Engine;
use crate::faults::Fault;
use crate::state::State;
use crate::tls::Authority;
use crate::{actions, control, proxy};

/// Why a world does not start, or does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this is not a world file: {0}")]
    File(String),
    #[error("{0}")]
    Refused(String),
    #[error("a port of the world cannot be opened: {0}")]
    Port(#[from] std::io::Error),
    #[error("a certificate of the world cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("TLS of the world cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// A running world. Dropping it ends it, with every connection.
pub struct World {
    engine: Engine,
    authority: Arc<Authority>,
    proxy: SocketAddr,
    control: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl World {
    /// Starts the world of a file on two free loopback ports.
    pub async fn start(yaml: &str) -> Result<Self, Error> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_at(yaml, any, any).await
    }

    /// Starts the world of a file on these addresses.
    pub async fn start_at(yaml: &str, proxy: SocketAddr, control: SocketAddr) -> Result<Self, Error> {
        let engine = Engine::new(State::from_yaml(yaml).map_err(Error::File)?);
        let authority = Arc::new(Authority::new()?);
        let proxy = TcpListener::bind(proxy).await?;
        let control = TcpListener::bind(control).await?;
        let (proxy_at, control_at) = (proxy.local_addr()?, control.local_addr()?);
        let tasks = [
            tokio::spawn(proxy::serve(proxy, engine.clone(), Arc::clone(&authority))),
            tokio::spawn(control::serve(control, engine.clone())),
        ];
        Ok(Self { engine, authority, proxy: proxy_at, control: control_at, tasks })
    }

    /// What goes into `HTTPS_PROXY`.
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy)
    }

    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// The authority that clients have to trust.
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// Does what a person does; the words are those of `world do --help`. A refusal is the sentence that the person would see.
    pub fn act(&self, action: &str, params: Value) -> Result<Value, Error> {
        actions::act(&mut self.engine.lock().state, action, params).map_err(Error::Refused)
    }

    /// Everything that is true, secrets left out.
    pub fn state(&self) -> Value {
        serde_json::to_value(&self.engine.lock().state).unwrap_or_default()
    }

    /// Sets up a fault; the id takes it away again.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.engine.lock().faults.add(fault)
    }

    pub fn clear_fault(&self, id: u64) -> bool {
        self.engine.lock().faults.remove(id)
    }

    pub fn clear_faults(&self) {
        self.engine.lock().faults.clear();
    }

    /// Every request so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.calls_since(0)
    }

    pub fn calls_since(&self, index: u64) -> Vec<Call> {
        self.engine.lock().calls.since(index)
    }

    /// Requests for a change, granted or not.
    pub fn writes(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.write).collect()
    }

    pub fn clear_calls(&self) {
        self.engine.lock().calls.clear();
    }

    /// Where an exchange with Graph was not as Microsoft publishes it, in a sentence each.
    pub fn violations(&self) -> Vec<String> {
        self.engine.lock().checks.violations()
    }

    /// What was held against Microsoft's publications so far.
    pub fn checks(&self) -> Checks {
        self.engine.lock().checks.told()
    }

    /// Signs in to Microsoft as `user` and creates a connector; gives its id.
    pub fn sign_in_for_connector(&self, account: &str, name: &str, kind: &str, user: &str) -> Result<String, Error> {
        let done =
            self.act("sign-in-for-connector", json!({ "account": account, "name": name, "type": kind, "user": user }))?;
        Ok(done["connector"].as_str().unwrap_or_default().to_owned())
    }

    pub fn reauthenticate(&self, connector: &str, user: &str) -> Result<Value, Error> {
        self.act("reauthenticate", json!({ "connector": connector, "user": user }))
    }

    pub fn finish_backup(&self, connector: &str) -> Result<Value, Error> {
        self.act("finish-backup", json!({ "connector": connector }))
    }

    pub fn break_authorization(&self, connector: &str) -> Result<Value, Error> {
        self.act("break-authorization", json!({ "connector": connector }))
    }

    pub fn grant_directory_role(&self, user: &str, role: &str) -> Result<Value, Error> {
        self.act("grant-directory-role", json!({ "user": user, "role": role }))
    }

    pub fn remove_directory_role(&self, user: &str, role: &str) -> Result<Value, Error> {
        self.act("remove-directory-role", json!({ "user": user, "role": role }))
    }

    pub fn grant_security_role(&self, environment: &str, user: &str, role: &str) -> Result<Value, Error> {
        self.act("grant-security-role", json!({ "environment": environment, "user": user, "role": role }))
    }

    pub fn remove_security_role(&self, environment: &str, user: &str, role: &str) -> Result<Value, Error> {
        self.act("remove-security-role", json!({ "environment": environment, "user": user, "role": role }))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
