//! `/git`: head, branches, commits, pull requests and conflicts.
//!
//! Lives here: the arms of the git types. May not live here: reading a repository.

use super::record::Record;
use super::writer::{Writer, present};
use crate::model::{Key, Value};

fn commit<'w>(w: &'w mut Writer<'_>, sha: Key) -> super::writer::Node<'w> {
    w.node([Key::new_static("git"), Key::new_static("commits"), sha])
}

fn pull_request<'w>(w: &'w mut Writer<'_>, number: &Key) -> super::writer::Node<'w> {
    w.node([Key::new_static("git"), Key::new_static("prs"), number.clone()])
}

/// The branch that the event names, or else the one the repository was on.
fn branch(w: &Writer<'_>) -> Option<Value> {
    present(w.event, "branch").cloned().or_else(|| w.event.branch.as_ref().map(Value::from))
}

pub(super) fn commit_created(w: &mut Writer<'_>) {
    let Some(sha) = w.key("commit_sha") else { return };
    let branch = branch(w);
    w.top("git").set("head", &sha).set_some("branch", branch.clone());
    commit(w, sha)
        .stamp("at")
        .set_some("branch", branch)
        .copy_as("commit_message", "message")
        .copy_or_actor("agent_author", "author")
        .copy(&["files_changed", "insertions", "deletions", "changed_files"])
        .copy(&["smart_commit", "jira_transition", "validation_passed"]);
}

pub(super) fn branch_created(w: &mut Writer<'_>) {
    let Some(name) = w.key("branch") else { return };
    w.top("git").set("branch", &name);
    w.node([Key::new_static("git"), Key::new_static("branches"), name])
        .stamp("at")
        .copy(&["from", "from_sha"])
        .copy_or_actor("created_by", "by");
}

pub(super) fn pr_created(w: &mut Writer<'_>) {
    let Some(number) = w.key("pr_number") else { return };
    pull_request(w, &number)
        .word("status", "open")
        .stamp("created_at")
        .copy_as("pr_title", "title")
        .copy_as("pr_url", "url")
        .copy_as("pr_description", "description")
        .copy_or_actor("created_by", "created_by")
        .copy(&["base_branch", "head_branch", "commits_count", "files_changed", "reviewers"])
        .copy(&["labels", "draft", "auto_merge_enabled", "ci_status"]);
}

pub(super) fn pr_reviewed(w: &mut Writer<'_>) {
    let Some(number) = w.key("pr_number") else { return };
    let reviewer = super::writer::natural_key(w.event, "reviewer")
        .or_else(|| (!w.event.actor.is_empty()).then(|| w.event.actor.clone()));
    let Some(reviewer) = reviewer else { return w.no_key("reviewer") };
    let review = w.record().stamp("at").copy(&["verdict", "comments_count", "comment"]).done();
    let [git, prs, reviews] = ["git", "prs", "reviews"].map(Key::new_static);
    w.node([git, prs, number, reviews]).put(reviewer, Value::Map(review));
}

pub(super) fn pr_merged(w: &mut Writer<'_>) {
    let Some(number) = w.key("pr_number") else { return };
    pull_request(w, &number)
        .remove(&["conflict"])
        .word("status", "merged")
        .stamp("merged_at")
        .copy_or_actor("merged_by", "merged_by")
        .copy(&["merge_method", "merged_commit_sha", "time_to_merge_hours", "reviews_count"])
        .copy(&["approvals_count", "comments_count", "ci_status", "deployment_triggered"]);
}

pub(super) fn pr_closed(w: &mut Writer<'_>) {
    let Some(number) = w.key("pr_number") else { return };
    pull_request(w, &number)
        .word("status", "closed")
        .stamp("closed_at")
        .copy_or_actor("closed_by", "closed_by")
        .copy(&["close_reason", "superseded_by_pr"])
        .copy_as("comments", "close_comments");
}

pub(super) fn merge_conflict_detected(w: &mut Writer<'_>) {
    let branch = branch(w);
    let conflict = w.record().stamp("at").copy(&["files", "base_branch"]);
    let conflict = match branch {
        Some(branch) => conflict.set("branch", branch),
        None => conflict,
    };
    let conflict = Record::done(conflict);
    // A conflict belongs to a pull request where the event names one.
    match super::writer::natural_key(w.event, "pr_number") {
        Some(number) => pull_request(w, &number).set("conflict", conflict),
        None => w.top("git").set("conflict", conflict),
    };
}
