//! Serves the ledger: gives what was written down, and takes it back, through restarts and whatever becomes of the objects. [io]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::entry::{Entry, Given, Held, Next, Phase};
use super::giving::{ROLE, give};
use crate::api::elevation::ElevationMethod;
use crate::api::{Happened, ServiceAccountPolicy};
use crate::fault::{Fault, Kind};
use crate::runtime::signin::Signing;
use crate::runtime::{Context, Note};
use crate::seen::Seen;
use crate::tenant::facts::held;
use crate::tenant::{self, Tenant};

/// What is under way is looked at again after this long, and after longer the longer it takes.
pub const SOON: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(1);
/// The ledger is read anew so often.
const READ_AGAIN: Duration = Duration::from_mins(10);
/// Whatever is asked for, nobody waits longer: the way out itself keeps to what it was asked.
const MOST_PATIENT: Duration = Duration::from_mins(5);
/// An Event takes no longer.
const TELLING: Duration = Duration::from_secs(10);
/// One step takes no longer.
const DEADLINE: Duration = Duration::from_mins(1);
/// An alarm that goes on is told again after this long.
const TOLD_AGAIN: Duration = Duration::from_mins(10);

/// Serves the ledger until it is told to stop: each account by itself, so that one tenant that does not answer keeps no other waiting. It
/// ends when the steps that are under way have; whoever drops it cuts them.
pub async fn serve(context: Arc<Context>, stop: CancellationToken) {
    let mut changes = context.ledger.changes();
    let mut served: JoinSet<()> = JoinSet::new();
    let mut accounts: HashMap<Id, String> = HashMap::new();
    let (mut failed, mut read) = (0, None::<Instant>);
    loop {
        // Now and then, too: what was mended by hand, or written by another process, is not told otherwise.
        if context.ledger.trouble().is_some() || read.is_none_or(|at| at.elapsed() > READ_AGAIN) {
            match context.ledger.load().await {
                Ok(()) => (failed, read) = (0, Some(Instant::now())),
                Err(fault) => {
                    if failed == 0 {
                        tracing::error!(%fault, "the ledger can't be read: what was given is not taken back before it can");
                    }
                    failed += 1;
                    pause(back_off(failed), &stop).await;
                }
            }
            changes.mark_unchanged();
        }
        if stop.is_cancelled() {
            while served.join_next().await.is_some() {}
            return;
        }
        for entry in context.ledger.standing() {
            if !accounts.values().any(|account| *account == entry.account) {
                let account = entry.account.clone();
                let task = served.spawn(serve_account(account.clone(), Arc::clone(&context), stop.clone()));
                accounts.insert(task.id(), account);
            }
        }
        tokio::select! {
            _ = changes.changed() => {}
            Some(ended) = served.join_next_with_id() => {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                accounts.remove(&id);
            }
            () = pause(if failed > 0 { SOON } else { LONGEST }, &stop) => {}
        }
    }
}

/// Waits, but for who is told to stop.
async fn pause(wait: Duration, stop: &CancellationToken) {
    let _ = tokio::time::timeout(wait, stop.cancelled()).await;
}

/// Serves one account until nothing is owed, or it is told to stop.
async fn serve_account(account: String, context: Arc<Context>, stop: CancellationToken) {
    let mut changes = context.ledger.changes();
    let (mut failed, mut memory) = (0, Memory::default());
    while let Some(entry) = context.ledger.of(&account).filter(|entry| entry.is_standing() && !stop.is_cancelled()) {
        let _ = tokio::time::timeout(TELLING, alarm(&entry, &context, &mut memory)).await;
        let taken = tokio::time::timeout(DEADLINE, Box::pin(step(&entry, &context, &mut memory))).await;
        let late =
            || Fault::new(Kind::Unreachable, format!("Microsoft did not answer within {} s", DEADLINE.as_secs()));
        match taken.unwrap_or_else(|_| Err(late())) {
            Ok(wait) => {
                failed = 0;
                tokio::select! {
                    () = pause(wait, &stop) => {}
                    // Its own writes, too: at worst it looks once more.
                    _ = changes.changed() => {}
                }
            }
            Err(fault) => {
                if failed == 0 {
                    tracing::warn!(account, %fault, "a window can't be served; it is tried again until it can");
                }
                failed += 1;
                let message = fault.sentence.clone();
                let _ = change(&entry, &context, |entry| entry.message = Some(message)).await;
                // What fails waits its time, whatever changes.
                let wait = fault.retry_after().unwrap_or_default().max(back_off(failed)).min(MOST_PATIENT);
                let ends = (Timestamp::now() < entry.expires).then(|| until(entry.expires, Timestamp::now()));
                pause(ends.map_or(wait, |ends| wait.min(ends)), &stop).await;
                changes.mark_unchanged();
            }
        }
    }
}

fn back_off(failed: u32) -> Duration {
    SOON.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1).min(8))).min(LONGEST)
}

/// What this process remembers of an account that it serves.
#[derive(Default)]
struct Memory {
    /// As whom it was last signed in: what it signed in with may be gone by now.
    tenant: Option<Arc<Tenant>>,
    /// What was last told of an alarm, and when.
    told: Option<(String, Instant)>,
}

/// One step of one window; how long until the next.
async fn step(entry: &Entry, context: &Context, memory: &mut Memory) -> Result<Duration, Fault> {
    let now = Timestamp::now();
    let unwritten;
    let entry = if entry.is_usable() && now >= entry.expires {
        if become_(entry, Phase::Closing, entry.given, context).await.is_ok() {
            return Ok(Duration::ZERO);
        }
        // What can't be written down is taken back all the same.
        let mut closing = entry.clone();
        closing.close(now);
        unwritten = closing;
        &unwritten
    } else {
        entry
    };
    if !entry.needs_look(now) {
        return follow(entry, &Held::No, false, None, context).await;
    }
    let tenant = sign_in(entry, context, memory).await?;
    let roles = match tenant.roles(&entry.account, Duration::ZERO).await {
        Seen::Known(roles) => roles,
        Seen::Unknown(fault) => {
            // Whoever is deleted holds nothing.
            let gone = fault.kind == Kind::NotFound
                && matches!(tenant.user(&entry.account, Duration::ZERO).await, Seen::Known(None));
            if gone {
                return become_(entry, Phase::Closed, entry.given, context).await;
            }
            return Err(fault);
        }
    };
    let seen = match held(&roles, ROLE) {
        None => Held::No,
        Some(held) if held.group.is_some() => Held::ThroughGroup,
        Some(held) => Held::Directly(held.assignment.clone()),
    };
    // Whether what is held ends by itself matters only where such a one was given.
    let timed = entry.phase == Phase::Closing && entry.method == ElevationMethod::PrivilegedIdentityManagement;
    let lasts = if timed && entry.seen && matches!(seen, Held::Directly(_)) {
        match tenant.schedule(&entry.account, Duration::ZERO).await {
            Seen::Known(schedule) => schedule.lasting.iter().any(|role| role == ROLE.id()),
            Seen::Unknown(fault) => return Err(fault),
        }
    } else {
        false
    };
    follow(entry, &seen, lasts, Some(&tenant), context).await
}

/// Does what follows from what was seen.
async fn follow(
    entry: &Entry,
    held: &Held,
    lasts: bool,
    tenant: Option<&Tenant>,
    context: &Context,
) -> Result<Duration, Fault> {
    let now = Timestamp::now();
    match (entry.next(held, lasts, now), tenant) {
        (Next::Wait(time), _) => Ok(until(time, now)),
        (Next::Look, _) | (Next::Give | Next::TakeBack, None) => Ok(patience(entry, now)),
        (Next::Absent, _) => {
            change(entry, context, |entry| entry.absent = true).await?;
            Ok(Duration::ZERO)
        }
        (Next::Away(since), _) => {
            change(entry, context, |entry| entry.away = since).await?;
            Ok(SOON)
        }
        (Next::Become(phase, given), _) => {
            if let (Phase::Open, Given::ByOperator, Held::Directly(id)) = (phase, given, held) {
                let id = id.clone();
                let shows = |entry: &mut Entry| (entry.seen, entry.pending, entry.assignment) = (true, false, Some(id));
                change(entry, context, shows).await?;
            }
            become_(entry, phase, given, context).await
        }
        (Next::NotOurs, _) => not_ours(entry, context).await,
        (Next::Give, Some(tenant)) => give(entry, tenant, context, now).await,
        (Next::TakeBack, Some(tenant)) => take_back(entry, held, tenant, context).await,
    }
}

/// How long what is under way is left alone: a quarter of the time that it has taken.
fn patience(entry: &Entry, now: Timestamp) -> Duration {
    let since = entry.closing.unwrap_or(entry.starts).max(entry.gave.unwrap_or(entry.starts));
    let taken = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    (taken / 4).clamp(SOON, LONGEST)
}

/// How long until a time, within what a sleep may be.
pub fn until(time: Timestamp, now: Timestamp) -> Duration {
    let left = Duration::try_from(time.duration_since(now)).unwrap_or_default();
    left.clamp(Duration::from_millis(100), Duration::from_hours(1))
}

/// Writes a change down, of the entry as it was seen; whoever speaks of the account looks again then.
pub async fn change(entry: &Entry, context: &Context, change: impl FnOnce(&mut Entry)) -> Result<bool, Fault> {
    let (phase, starts) = (entry.phase, entry.starts);
    let mut changed = false;
    context
        .ledger
        .change(&entry.account, |entry| {
            // It went on meanwhile: what was seen is not true of it any more.
            if (entry.phase, entry.starts) == (phase, starts) {
                let before = entry.clone();
                change(entry);
                changed = *entry != before;
            }
        })
        .await?;
    if changed {
        context.wake_policies_of(&entry.account);
    }
    Ok(changed)
}

async fn become_(entry: &Entry, phase: Phase, given: Given, context: &Context) -> Result<Duration, Fault> {
    let (was, now) = (entry.phase, Timestamp::now());
    let changed = change(entry, context, |entry| {
        (entry.phase, entry.given) = (phase, given);
        if phase == Phase::Closing {
            entry.close(now);
        }
        if phase != was && (phase != Phase::Open || given == Given::ByOperator) {
            // What was told of the phase before is settled.
            entry.message = None;
        }
        if phase == Phase::Closed {
            entry.ended = Some(now);
        }
    })
    .await?;
    if changed && phase != was {
        tracing::info!(account = entry.account, ?phase, ?given, "window");
        tell(entry, context, phase, given).await;
    }
    Ok(Duration::ZERO)
}

/// It is over: what the account holds now was given by somebody else meanwhile.
async fn not_ours(entry: &Entry, context: &Context) -> Result<Duration, Fault> {
    let sentence = format!(
        "The window is over; the account holds {} by what somebody else has given for good, so that it stays",
        ROLE.name()
    );
    let (message, now) = (sentence.clone(), Timestamp::now());
    let closed = |entry: &mut Entry| {
        (entry.phase, entry.ended, entry.message) = (Phase::Closed, Some(now), Some(message));
    };
    if change(entry, context, closed).await?
        && let Some(policy) = policy_of(entry, context)
    {
        context.tell(&policy, &[Note::warning(Happened::WindowClosed, "Elevate", sentence)]).await;
    }
    Ok(Duration::ZERO)
}

/// An Event for what has become of a window, while there is an object to tell it of.
async fn tell(entry: &Entry, context: &Context, phase: Phase, given: Given) {
    let role = ROLE.name();
    let sentence = match (phase, given) {
        (Phase::Open, Given::ByOperator) => format!("The account holds {role} for the time of the window"),
        (Phase::Open, Given::ByPerson) => format!("A person has given the account {role} for the time of the window"),
        (Phase::Open, _) => format!("The window is open; the account held {role} before"),
        (Phase::Closing, _) => "The window ends".to_owned(),
        (Phase::Closed, Given::ByOperator) => format!("The window is over, and what was given of {role} is gone"),
        (Phase::Closed, _) => "The window is over".to_owned(),
        (Phase::Opening, _) => return,
    };
    let reason = match phase {
        Phase::Open => Happened::WindowOpened,
        Phase::Closing => Happened::WindowClosing,
        _ => Happened::WindowClosed,
    };
    if let Some(policy) = policy_of(entry, context) {
        context.tell(&policy, &[Note::normal(reason, "Elevate", sentence).about("DirectoryRole", role)]).await;
    }
}

/// What is held longer than it may be: as loud as can be, when it begins, when there is another reason, and again and again.
async fn alarm(entry: &Entry, context: &Context, memory: &mut Memory) {
    if !entry.is_overdue(Timestamp::now()) {
        return;
    }
    let why = entry.message.as_deref().unwrap_or(match entry.given {
        Given::ByPerson => "a person gave it, and has to take it back",
        _ => "it was not taken back yet",
    });
    let sentence = format!("{} still holds {} though its window is over: {why}", entry.name, ROLE.name());
    if memory.told.as_ref().is_some_and(|(told, at)| *told == sentence && at.elapsed() < TOLD_AGAIN) {
        return;
    }
    tracing::error!(account = entry.account, tenant = entry.tenant.id, sentence, "an account is elevated for too long");
    if let Some(policy) = policy_of(entry, context) {
        context.tell(&policy, &[Note::warning(Happened::ElevationOverdue, "Elevate", sentence.clone())]).await;
    }
    context.wake_policies_of(&entry.account);
    memory.told = Some((sentence, Instant::now()));
}

/// The policy that asked for it, if it is still there.
pub fn policy_of(entry: &Entry, context: &Context) -> Option<ServiceAccountPolicy> {
    let guarded = context.policy(&entry.policy.namespace, &entry.policy.name)?;
    guarded.0.as_ref().ok().filter(|policy| policy.uid().as_ref() == Some(&entry.policy.uid)).cloned()
}

/// As the policy says by now; if it is gone, as it was when the window was opened; else as this process last was.
async fn sign_in(entry: &Entry, context: &Context, memory: &mut Memory) -> Result<Arc<Tenant>, Fault> {
    let policy = policy_of(entry, context);
    let by_now = policy.as_ref().map(|policy| &policy.spec.credential).filter(|by_now| **by_now != entry.credential);
    let mut problem = None;
    // What was replaced may lie there still, and be good for nothing.
    for credential in by_now.into_iter().chain(std::iter::once(&entry.credential)) {
        let signing = Signing { namespace: &entry.policy.namespace, tenant: &entry.tenant, credential };
        match context.app_of(signing).await {
            Ok(Ok(app)) => {
                let tenant = tenant::of(&context.tenants, &context.desk.way, &app);
                memory.tenant = Some(Arc::clone(&tenant));
                return Ok(tenant);
            }
            Ok(Err(wrong)) => problem = problem.or(Some(Fault::new(Kind::CredentialRefused, wrong.message))),
            Err(fault) => problem = problem.or(Some(fault)),
        }
    }
    let unknown = || Fault::new(Kind::Bug, "There is nothing to sign in with");
    memory.tenant.clone().ok_or_else(|| problem.unwrap_or_else(unknown))
}

/// Takes back what was given, in whatever way it was.
async fn take_back(entry: &Entry, held: &Held, tenant: &Tenant, context: &Context) -> Result<Duration, Fault> {
    let seen = if let Held::Directly(id) = held { Some(id) } else { None };
    tracing::info!(account = entry.account, role = ROLE.name(), "taking back");
    // Who counts how many administrators remain counts this one no more.
    context.goes(&entry.account);
    match (entry.method, entry.assignment.as_ref().or(seen)) {
        (ElevationMethod::PrivilegedIdentityManagement, _) => tenant.end_early(&entry.account, ROLE).await?,
        (_, Some(assignment)) => tenant.remove_assignment(assignment).await?,
        // It was never seen: what shows yet will be.
        (_, None) => {}
    }
    change(entry, context, |entry| (entry.took, entry.message) = (Some(Timestamp::now()), None)).await?;
    Ok(Duration::from_millis(500))
}
