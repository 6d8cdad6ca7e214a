//! `/docs/{path}`: documents in the repository and in the wiki.
//!
//! Lives here: the arms of the documentation types. May not live here: their text.

use super::writer::Writer;

const FIELDS: &[&str] = &["word_count", "sections", "linked_to_jira", "synced_to_confluence"];

pub(super) fn created(w: &mut Writer<'_>) {
    let Some(path) = w.key("doc_path") else { return };
    w.thing("docs", &path)
        .stamp("created_at")
        .copy_as("doc_type", "type")
        .copy_as("doc_title", "title")
        .copy_or_actor("created_by", "created_by")
        .copy(FIELDS);
}

pub(super) fn updated(w: &mut Writer<'_>) {
    let Some(path) = w.key("doc_path") else { return };
    w.thing("docs", &path)
        .stamp("updated_at")
        .add("updates", 1)
        .copy_as("doc_type", "type")
        .copy_as("doc_title", "title")
        .copy_or_actor("updated_by", "updated_by")
        .copy(FIELDS);
}

pub(super) fn confluence_page_created(w: &mut Writer<'_>) {
    let Some(id) = w.key("page_id") else { return };
    w.thing("docs", &id)
        .word("type", "confluence_page")
        .stamp("created_at")
        .copy_as("page_title", "title")
        .copy_as("page_url", "url")
        .copy_or_actor("created_by", "created_by")
        .copy(&["page_id", "space_key", "parent_page_id", "content_length", "labels"])
        .copy(&["linked_to_jira"]);
}
