//! `/tools/{name}`: calls, failures, what is running, and the last call.
//!
//! A call that has not ended stands under `open`, by its `tool_use_id`. Logs in which ends are
//! missing would let that grow with every event, so beyond [`OPEN_LIMIT`] calls the older half is
//! counted as `lost`.
//!
//! Lives here: the arms of the tool types. May not live here: what tools do.

use super::writer::{Writer, natural_key};
use crate::model::{Event, Key, Kind, Map, Value};

/// The most calls of one tool that are kept as running.
pub(super) const OPEN_LIMIT: usize = 256;

/// The tool of a call, and the key under which the call is open.
pub(super) struct Call {
    pub(super) tool: Key,
    pub(super) id: Option<Key>,
}

/// The call that the end of one means. Without a tool's name, or an id, what is running decides.
pub(super) fn ending<'s>(
    event: &Event,
    tools: Option<&'s Map>,
) -> Option<(Call, Option<&'s Value>)> {
    let id = natural_key(event, "tool_use_id").or_else(|| event.causation.clone());
    let open_in = |tool: &str| tools?.get(tool)?.get("open")?.as_map();
    let tool = natural_key(event, "tool_name").or_else(|| {
        let id = id.as_ref()?;
        let (name, _) = tools?
            .iter()
            .find(|(name, _)| open_in(name).is_some_and(|open| open.get(id).is_some()))?;
        Some(name.clone())
    })?;
    let open = open_in(&tool);
    let found = id.as_ref().and_then(|id| Some((id.clone(), open?.get(id)?)));
    let found = found.or_else(|| match open {
        // An end without any id is that of the only call there is.
        Some(open) if event.get("tool_use_id").is_none() && open.len() == 1 => {
            open.iter().next().map(|(id, call)| (id.clone(), call))
        }
        _ => None,
    });
    Some(match found {
        Some((id, call)) => (Call { tool, id: Some(id) }, Some(call)),
        None => (Call { tool, id }, None),
    })
}

pub(super) fn invoked(w: &mut Writer<'_>) {
    let Some(tool) = w.key("tool_name") else { return };
    let event = w.event;
    let id = natural_key(event, "tool_use_id")
        .or_else(|| (!event.id.is_empty()).then(|| event.id.clone()))
        .unwrap_or_else(|| smol_str::format_smolstr!("#{}", event.position));
    let mut call = w.record().stamp("started_at").copy(&["input"]);
    if let Some(agent) = event.agent() {
        call = call.set("agent", agent);
    }
    let call = call.done();
    let last = w.record_from(call.clone()).word("status", "running").copy(&["tool_use_id"]).done();
    // The tool first: where it is new, all of this is one change.
    w.thing("tools", &tool).add("calls", 1);
    let (lost, running) = open_call(w, &tool, id, call);
    let mut node = w.thing("tools", &tool);
    node.set("running", running).set("last", last);
    if lost > 0 {
        node.add("lost", lost);
    }
}

/// Notes a call as open; says how many others were given up for it, and how many are open now.
fn open_call(w: &mut Writer<'_>, tool: &Key, id: Key, call: Map) -> (i64, i64) {
    let [tools, open] = ["tools", "open"].map(Key::new_static);
    let mut node = w.node([tools, tool.clone(), open]);
    let given_up = node.map().map_or_else(Vec::new, |open| oldest_half(open, &id));
    for id in &given_up {
        node.take(id);
    }
    node.put(id, Value::Map(call));
    let running = node.map().map_or(0, Map::len);
    (to_int(given_up.len()), to_int(running))
}

/// The older half of a full set of open calls, by the time of their start.
fn oldest_half(open: &Map, id: &Key) -> Vec<Key> {
    if open.len() < OPEN_LIMIT || open.get(id).is_some() {
        return Vec::new();
    }
    let mut calls: Vec<(&str, &Key)> = open
        .iter()
        .map(|(id, call)| (call.get("started_at").and_then(Value::as_str).unwrap_or_default(), id))
        .collect();
    calls.sort_unstable();
    calls.truncate(OPEN_LIMIT / 2);
    calls.into_iter().map(|(_, id)| id.clone()).collect()
}

fn to_int(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn completed(w: &mut Writer<'_>) {
    end(w, "completed");
}

pub(super) fn failed(w: &mut Writer<'_>) {
    end(w, "failed");
}

fn end(w: &mut Writer<'_>, status: &'static str) {
    let event = w.event;
    let tools = w.look(&["tools"]).and_then(Value::as_map);
    let Some((call, open)) = ending(event, tools) else { return w.no_key("tool_name") };
    let begun = open.and_then(Value::as_map).cloned();
    let open_id = call.id.filter(|_| begun.is_some());
    let mut last = w
        .record_from(begun.unwrap_or_default())
        .word("status", status)
        .stamp("ended_at")
        .copy(&["tool_use_id", "duration_ms", "input", "output", "error"]);
    if let Some(agent) = event.agent() {
        last = last.set("agent", agent);
    }
    let last = last.done();
    if let Some(id) = &open_id {
        close_call(w, &call.tool, id);
    }
    let mut node = w.thing("tools", &call.tool);
    if event.kind == Kind::ToolFailed {
        node.add("failures", 1);
    }
    node.set("last", last);
}

/// Takes a call from those that are open.
fn close_call(w: &mut Writer<'_>, tool: &Key, id: &Key) {
    let mut node = w.thing("tools", tool);
    let open = node.get("open").and_then(Value::as_map).map_or(0, Map::len);
    node.set("running", to_int(open.saturating_sub(1)));
    // No empty map is left behind.
    if open <= 1 {
        node.remove(&["open"]);
        return;
    }
    drop(node);
    w.node([Key::new_static("tools"), tool.clone(), Key::new_static("open")]).take(id);
}
