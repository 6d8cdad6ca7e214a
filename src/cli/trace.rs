//! `trace`: the causal tree of an event, up to its causes and down to its effects.

use clap::Args;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::model::{Moment, Position};
use crate::query::{self, Field, Filter, Order};
use crate::session::Session;
use crate::session::trace::{DEEPEST, Node, Traced, Tracer};

use super::context::{Context, position};
use super::failure::Outcome;
use super::output::{Format, Role, cut, escape};
use super::reference::EventRef;

/// The flags of `trace`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronoscope trace 3f2a9c41\n  chronoscope trace AgentFailed --issue PROJ-123 --causes\n  chronoscope trace 3f2a9c41 --effects --json"
)]
pub(crate) struct Flags {
    /// The event: the beginning of its id; with --issue any moment
    pub event: String,
    /// The issue, if it is known
    #[arg(long, value_name = "KEY")]
    pub issue: Option<String>,
    /// Only what led to it
    #[arg(long, conflicts_with = "effects")]
    pub causes: bool,
    /// Only what it led to
    #[arg(long)]
    pub effects: bool,
    /// How deep, 60 at most
    #[arg(long, value_name = "N", default_value_t = DEEPEST,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(DEEPEST)))]
    pub depth: u16,
}

/// The answer, in the order of the printed keys.
#[derive(Debug, Serialize)]
struct Answer {
    event: EventRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<Vec<Tree>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effects: Option<Vec<Tree>>,
    /// Whether it goes on beyond what is shown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

#[derive(Debug, Serialize)]
struct Tree {
    #[serde(flatten)]
    event: EventRef,
    link: String,
    children: Vec<Tree>,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    let (mut session, at) = find(context, flags)?;
    let tracer = Tracer::new(session.timeline());
    let causes = (!flags.effects).then(|| tracer.causes(at, flags.depth));
    let effects = (!flags.causes).then(|| tracer.effects(at, flags.depth));
    let cut = [&causes, &effects].into_iter().flatten().any(|traced| traced.cut);
    let mut trees =
        |traced: Option<Traced>| traced.map(|traced| trees(&mut session, traced.nodes)).transpose();
    let (causes, effects) = (trees(causes)?, trees(effects)?);
    let answer = Answer { event: EventRef::at(&mut session, at)?, causes, effects, cut };
    match context.out.format {
        Format::Text => as_text(context, &answer),
        _ => Ok(context.out.json(&answer)?),
    }
}

/// The issue and the position of the event that is meant.
fn find(context: &mut Context, flags: &Flags) -> Result<(Session, Position)> {
    let store = context.shared_store()?;
    let issue = match &flags.issue {
        Some(issue) => issue.clone(),
        None => {
            let filter = Filter::new().with(Field::Id, &flags.event)?;
            let page = query::scan(&*store, &filter, Order::Forward, Some(2), None)?;
            let mut issues: Vec<&str> = page.lines.iter().map(|hit| &*hit.issue_key).collect();
            issues.dedup();
            match issues.as_slice() {
                [issue] => (*issue).to_owned(),
                [] => {
                    let message = format!("no event's id begins with {}", flags.event);
                    return Err(Error::not_found(message)
                        .with_hint("with --issue any moment will do, e.g. AgentFailed or 17"));
                }
                _ => {
                    let message = format!("several events' ids begin with {}", flags.event);
                    return Err(Error::usage(message).with_hint("give more of it, or --issue"));
                }
            }
        }
    };
    let mut session = context.session(&issue)?;
    let at = position(&mut session, Some(&flags.event), &Moment::End)?;
    if at == 0 {
        return Err(Error::not_found("position 0 is before the first event"));
    }
    Ok((session, at))
}

fn trees(session: &mut Session, nodes: Vec<Node>) -> Result<Vec<Tree>> {
    let tree = |node: Node| {
        Ok(Tree {
            event: EventRef::at(session, node.position)?,
            link: node.link,
            children: trees(session, node.children)?,
        })
    };
    nodes.into_iter().map(tree).collect()
}

fn as_text(context: &mut Context, answer: &Answer) -> Outcome {
    if let Some(causes) = &answer.causes {
        // The farthest cause first: it reads downwards in time, to the event itself.
        let mut chain = Vec::new();
        let mut next = causes.first();
        while let Some(tree) = next {
            chain.push(tree);
            next = tree.children.first();
        }
        for tree in chain.into_iter().rev() {
            line(context, &tree.event, 0, Some(&tree.link))?;
        }
    }
    event_line(context, &answer.event)?;
    for tree in answer.effects.iter().flatten() {
        below(context, tree, 1)?;
    }
    if answer.cut {
        let more = context.out.paint(Role::Dim, "… and more beyond that (--depth)");
        context.out.line(more)?;
    }
    Ok(())
}

fn event_line(context: &mut Context, event: &EventRef) -> Outcome {
    let text = told(context, event, 0);
    let paint = context.out.paint;
    Ok(context.out.line(format!("{} {text}", paint.of(Role::Strong, "→")))?)
}

fn below(context: &mut Context, tree: &Tree, depth: usize) -> Outcome {
    line(context, &tree.event, depth, Some(&tree.link))?;
    tree.children.iter().try_for_each(|child| below(context, child, depth + 1))
}

fn line(context: &mut Context, event: &EventRef, depth: usize, link: Option<&str>) -> Outcome {
    let indent = "  ".repeat(depth.min(32));
    let text = told(context, event, indent.len() + 20);
    let paint = context.out.paint;
    let link = link.map(|link| format!("  {}", paint.of(Role::Dim, link))).unwrap_or_default();
    Ok(context.out.line(format!("  {indent}{text}{link}"))?)
}

/// An event in a line: place, time, glyph, type, actor, summary.
fn told(context: &Context, event: &EventRef, taken: usize) -> String {
    let paint = context.out.paint;
    let (role, glyph) = event.glyph(paint);
    let time = event.timestamp.to_string();
    let time = time.get(11..23).unwrap_or(&time).to_owned();
    let room = context.out.columns.saturating_sub(taken + 46).max(20);
    format!(
        "{} {} {} {} {}",
        paint.of(Role::Dim, &format!("#{} {time}", event.position)),
        paint.of(role, glyph),
        context.out.paint(Role::Strong, &event.event_type),
        context.out.paint(Role::Name, event.actor_id()),
        cut(&escape(&event.summary), room),
    )
}
