//! What an administrator sees for every fault of every call at a vendor: observed, and held against `docs/faults.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;

mod avepoint;
mod cases;
mod checks;
mod keepit;
mod page;
mod scenes;

use std::time::Instant;

use scenes::{Vendor, observed};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_at_a_vendor_is_told_as_the_page_says_and_is_over_when_it_is_over() {
    let begun = Instant::now();
    let vendors: &[&Vendor] = &[&keepit::VENDOR, &avepoint::VENDOR];
    let seen = observed(vendors).await;
    println!("{} cases in {} s", seen.rows.len(), begun.elapsed().as_secs());
    assert!(seen.wrong.is_empty(), "{}", seen.wrong.join("\n"));
    page::hold(&page::written(vendors, &seen.rows));
}
