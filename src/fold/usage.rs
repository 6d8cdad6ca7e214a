//! `/usage`: tokens and cost.
//!
//! Lives here: the arms of the usage types. May not live here: prices.

use super::writer::{Node, Writer, natural_key};
use crate::model::{Event, Key, Value};

/// Sums of money are kept to a billionth, so that the order of adding does not show as noise.
const COST_STEPS: f64 = 1e9;

const TOKENS: [(&str, &str); 3] =
    [("input_tokens", "input"), ("output_tokens", "output"), ("cache_tokens", "cache")];

pub(super) fn recorded(w: &mut Writer<'_>) {
    let event = w.event;
    add_tokens(&mut w.node(["usage", "tokens"].map(Key::new_static)), event);
    add_cost(&mut w.top("usage"), event);
    let model = natural_key(event, "model").or_else(|| event.model.clone());
    if let Some(model) = model.filter(|model| !model.is_empty()) {
        let [usage, by_model] = ["usage", "by_model"].map(Key::new_static);
        let mut node = w.node([usage, by_model, model]);
        add_tokens(&mut node, event);
        add_cost(&mut node, event);
        node.add("records", 1);
    }
}

fn add_tokens(node: &mut Node<'_>, event: &Event) {
    for (field, name) in TOKENS {
        if let Some(tokens) = event.get(field).and_then(Value::as_i64) {
            node.add(name, tokens);
        }
    }
}

fn add_cost(node: &mut Node<'_>, event: &Event) {
    if let Some(cost) = event.get("cost_usd").and_then(Value::as_f64) {
        let before = node.get("cost_usd").and_then(Value::as_f64).unwrap_or(0.0);
        let sum = ((before + cost) * COST_STEPS).round() / COST_STEPS;
        // Beyond what can be stepped so finely (9 million), the plain sum is exact enough.
        let sum = if sum.is_finite() { sum } else { before };
        // Minus zero prints as such; a sum of nothing is zero.
        node.set("cost_usd", sum + 0.0);
    }
}

pub(super) fn budget_exceeded(w: &mut Writer<'_>) {
    // The latest one; a budget that is exceeded again and again is one thing.
    let budget =
        w.record().stamp("exceeded_at").copy(&["budget", "limit", "actual", "unit"]).done();
    w.top("usage").set("budget", budget);
}
