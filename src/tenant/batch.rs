//! Many reads of Microsoft Graph in one request (facts/microsoft.md §1.10, `$batch`).

use std::collections::HashMap;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::Url;

use super::Tenant;
use super::wire::{Call, Scope, Service, rest_of, unwrapped};
use crate::fault::{Fault, Kind};
use crate::http::{Answer, Effect, next_try};

/// As many as Microsoft takes in one.
pub const MOST: usize = 20;

#[derive(Deserialize)]
struct Envelope {
    responses: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
}

impl Tenant {
    /// Many reads of Microsoft Graph at once, twenty in a request; the answers are in the order of the calls. Each is judged by
    /// itself, as if it had been asked alone, and is asked again by itself when the service is too busy for it.
    ///
    /// # Errors
    /// Of each call its own; when the request as a whole fails, that fault for all that were in it. A write, another service or
    /// another version of Graph than v1.0 is [`Kind::Bug`].
    pub(super) async fn batch(&self, calls: Vec<Call<'_>>) -> Vec<Result<Answer, Fault>> {
        let mut all = Vec::with_capacity(calls.len());
        let mut calls = calls.into_iter();
        loop {
            let some: Vec<Call<'_>> = calls.by_ref().take(MOST).collect();
            match some.len() {
                0 => return all,
                // Nothing is won by wrapping one.
                1 => {
                    for call in some {
                        all.push(self.call(call).await);
                    }
                }
                _ => all.extend(Box::pin(self.some(&some)).await),
            }
        }
    }

    /// The same for lists: what does not fit on the first page is read from its own address.
    pub(super) async fn batch_all<T: DeserializeOwned>(&self, calls: Vec<Call<'_>>) -> Vec<Result<Vec<T>, Fault>> {
        let asked: Vec<_> = calls.iter().map(|call| (call.service, call.url.clone(), call.what, call.needs)).collect();
        let mut all = Vec::with_capacity(asked.len());
        for (first, (service, url, what, needs)) in self.batch(calls).await.into_iter().zip(asked) {
            all.push(match first {
                Ok(answer) => rest_of(self, Call::get(service, url, what, needs), &answer).await,
                Err(fault) => Err(fault),
            });
        }
        all
    }

    async fn some(&self, calls: &[Call<'_>]) -> Vec<Result<Answer, Fault>> {
        let mut answers: HashMap<usize, Result<Answer, Fault>> = HashMap::new();
        let mut open: Vec<usize> = (0..calls.len()).collect();
        let mut tried = 0;
        while !open.is_empty() {
            tried += 1;
            let round = self.round(calls, &open).await;
            let mut wait = None;
            open.clear();
            for (index, result) in round {
                let again = match &result {
                    Ok(answer) if answer.may_come_later() => next_try(tried, answer.retry_after()),
                    _ => None,
                };
                if let Some(again) = again {
                    open.push(index);
                    wait = wait.max(Some(again));
                }
                answers.insert(index, result);
            }
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
            }
        }
        calls
            .iter()
            .enumerate()
            .map(|(index, call)| match answers.remove(&index) {
                Some(Ok(answer)) => self.judge(call, answer),
                Some(Err(fault)) => Err(fault),
                None => Err(Fault::new(Kind::Bug, "A part of a batch was not asked")),
            })
            .collect()
    }

    /// Asks for these parts once; whatever was answered, in the order of the parts.
    async fn round(&self, calls: &[Call<'_>], open: &[usize]) -> Vec<(usize, Result<Answer, Fault>)> {
        let mut requests = Vec::new();
        let mut refused = Vec::new();
        for index in open {
            let call = &calls[*index];
            // Each part counts for the service's limits as if it came alone; there is nothing to hold while it is under way.
            match self.part(call, *index) {
                Ok(part) => match self.own_limits.leave(&self.shared_limits, call).await {
                    Ok(_) => requests.push((*index, part)),
                    Err(fault) => refused.push((*index, Err(fault))),
                },
                Err(fault) => refused.push((*index, Err(fault))),
            }
        }
        let Some(first) = requests.first().map(|(index, _)| &calls[*index]) else { return refused };
        let url = Url::parse(&format!("https://{}/v1.0/$batch", self.cloud.graph()));
        let asked: Vec<usize> = requests.iter().map(|(index, _)| *index).collect();
        let parts: Vec<Value> = requests.into_iter().map(|(_, part)| part).collect();
        let envelope = match url {
            Ok(url) => self.envelope(first, url, &json!({ "requests": parts })).await,
            Err(_) => Err(Fault::new(Kind::Bug, "A Graph address can't be made")),
        };
        let mut found: HashMap<String, Part> = match envelope {
            Ok(envelope) => envelope.responses.into_iter().map(|part| (part.id.clone(), part)).collect(),
            Err(fault) => {
                refused.extend(asked.into_iter().map(|index| (index, Err(fault.clone()))));
                return refused;
            }
        };
        for index in asked {
            let call = &calls[index];
            let answer = found.remove(&index.to_string()).map(|part| answer(&part)).ok_or_else(|| {
                let sentence = format!("{} left out an answer ({})", call.service.name, call.what);
                Fault::new(Kind::BadAnswer, sentence)
            });
            if let Ok(answer) = &answer {
                self.way.heed(&call.url, answer);
            }
            refused.push((index, answer));
        }
        refused
    }

    /// A call as a part of a batch.
    fn part(&self, call: &Call<'_>, id: usize) -> Result<Value, Fault> {
        let fits = call.method == Method::GET && matches!(call.service.scope, Scope::Graph);
        let path = call.url.path().strip_prefix("/v1.0").filter(|_| fits);
        let path = path.filter(|_| call.url.host_str() == Some(self.cloud.graph()));
        let path = path.ok_or_else(|| Fault::new(Kind::Bug, "What is no read of Microsoft Graph v1.0 was batched"))?;
        let address = call.url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        let headers: Map<String, Value> =
            call.service.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        Ok(json!({ "id": id.to_string(), "method": "GET", "url": address, "headers": headers }))
    }

    /// The request around the parts: a POST that changes nothing, since they all are reads.
    async fn envelope(&self, first: &Call<'_>, url: Url, body: &Value) -> Result<Envelope, Fault> {
        let service = Service { name: first.service.name, scope: Scope::Graph, headers: first.service.headers };
        let call = Call { service: &service, method: Method::POST, url, body: Some(body.clone()), ..*first };
        let answer = self.send(&call, Effect::Read).await?;
        let answer = self.judge(&call, answer)?;
        unwrapped(service.name, call.what, &answer)
    }
}

/// A part as if it had come alone.
fn answer(part: &Part) -> Answer {
    let headers: HeaderMap = part
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(text).ok()?))
        })
        .collect();
    let body = if part.body.is_null() { Vec::new() } else { part.body.to_string().into_bytes() };
    Answer { status: part.status, headers, body }
}
