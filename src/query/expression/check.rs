//! What an expression may be, and what it looks at: read off its syntax before anything runs.
//!
//! Lives here: [`Reads`], and refusing what never ends or changes values. May not live here:
//! running it (see [`super`]).

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Part, Path as Steps};
use smol_str::SmolStr;

use super::functions::FUNCTIONS;
use crate::model::Path;
use crate::schema::nearest_of;

/// The variable that is bound to the state after the event.
pub(super) const STATE: &str = "$state";
/// The variable that is bound to the state before it.
pub(super) const BEFORE: &str = "$before";

/// What an expression looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Whether the event itself is looked at.
    pub event: bool,
    /// The paths of the state that are looked at: these and all below. Empty where it does not
    /// look at the state.
    pub state: Vec<Path>,
    /// Whether the state before the event is among what is looked at.
    pub before: bool,
    /// The only types of events for which it can be true; none where that cannot be told.
    pub types: Option<Vec<SmolStr>>,
}

/// A fault of an expression, and the part of its text that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused<'s> {
    pub(super) at: &'s str,
    pub(super) why: String,
}

/// Looks through an expression.
pub(super) fn check<'s>(term: &Term<&'s str>, whole: &'s str) -> Result<Reads, Refused<'s>> {
    let mut walk = Walk { whole, reads: Reads::default(), names: Vec::new() };
    let result = walk.term(term, &Place::Event)?;
    walk.look_at(&result);
    let mut reads = walk.reads;
    reads.state.sort();
    let all = std::mem::take(&mut reads.state);
    for path in all {
        // What stands below another is looked at with it.
        if !reads.state.iter().any(|known| known.contains(&path)) {
            reads.state.push(path);
        }
    }
    reads.types = types(term);
    Ok(reads)
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// It is the event or a part of it.
    Event,
    /// It stands in a state, at this path (or below it, if not `exact`).
    State { path: Path, exact: bool },
    /// It was made, or what it was made from is known to be looked at.
    Made,
}

struct Walk<'s> {
    whole: &'s str,
    reads: Reads,
    /// Variables in force, innermost last.
    names: Vec<(&'s str, Place)>,
}

type Walked<'s, T = Place> = Result<T, Refused<'s>>;

impl<'s> Walk<'s> {
    /// Notes that a value is looked at in full.
    fn look_at(&mut self, place: &Place) {
        match place {
            Place::Event => self.reads.event = true,
            Place::State { path, .. } => self.reads.state.push(path.clone()),
            Place::Made => {}
        }
    }

    /// Walks a term whose result is looked at in full.
    fn used(&mut self, term: &Term<&'s str>, dot: &Place) -> Walked<'s, ()> {
        let place = self.term(term, dot)?;
        self.look_at(&place);
        Ok(())
    }

    fn all_used<'t>(
        &mut self,
        terms: impl IntoIterator<Item = &'t Term<&'s str>>,
        dot: &Place,
    ) -> Walked<'s>
    where
        's: 't,
    {
        for term in terms {
            self.used(term, dot)?;
        }
        Ok(Place::Made)
    }

    fn term(&mut self, term: &Term<&'s str>, dot: &Place) -> Walked<'s> {
        match term {
            Term::Id => Ok(dot.clone()),
            Term::Recurse => {
                self.look_at(dot);
                Ok(Place::Made)
            }
            Term::Num(_) => Ok(Place::Made),
            Term::Str(format, parts) => self.text(*format, parts, dot),
            Term::Arr(items) => self.all_used(items.as_deref(), dot),
            Term::Obj(members) => self.object(members, dot),
            Term::Neg(term) => self.all_used([&**term], dot),
            Term::BinOp(left, op, right) => self.operator(left, op, right, dot),
            Term::Label(name, body) => {
                self.names.push((name, Place::Made));
                let place = self.term(body, dot);
                self.names.pop();
                place
            }
            Term::Break(_) => Ok(Place::Made),
            Term::Fold(name, ..) => Err(self.refuse(name, "`reduce` and `foreach` are not allowed: what they make could grow without end; use add, any, all, map")),
            Term::TryCatch(body, handler) => {
                self.used(body, dot)?;
                self.all_used(handler.as_deref(), &Place::Made)
            }
            Term::IfThenElse(branches, otherwise) => {
                for (condition, then) in branches {
                    self.used(condition, dot)?;
                    self.used(then, dot)?;
                }
                match otherwise {
                    Some(otherwise) => self.used(otherwise, dot)?,
                    None => self.look_at(dot),
                }
                Ok(Place::Made)
            }
            Term::Def(defs, _) => {
                let name = defs.first().map_or(self.whole, |def| def.name);
                Err(self.refuse(name, "functions cannot be defined: they could call themselves without end"))
            }
            Term::Call(name, arguments) => self.call(name, arguments, dot),
            Term::Var(name) => self.variable(name),
            Term::Path(base, steps) => self.path(base, steps, dot),
        }
    }

    fn text(
        &mut self,
        format: Option<&'s str>,
        parts: &[StrPart<&'s str, Term<&'s str>>],
        dot: &Place,
    ) -> Walked<'s> {
        if let Some(name) = format {
            return Err(self.refuse(name, "there are no formats here"));
        }
        for part in parts {
            if let StrPart::Term(term) = part {
                self.used(term, dot)?;
            }
        }
        Ok(Place::Made)
    }

    fn object(
        &mut self,
        members: &[(Term<&'s str>, Option<Term<&'s str>>)],
        dot: &Place,
    ) -> Walked<'s> {
        for (key, value) in members {
            match value {
                Some(value) => {
                    self.used(key, dot)?;
                    self.used(value, dot)?;
                }
                // `{a}` is `{a: .a}`, `{$x}` is `{x: $x}`.
                None => {
                    self.used(key, dot)?;
                    self.look_at(dot);
                }
            }
        }
        Ok(Place::Made)
    }

    fn operator(
        &mut self,
        left: &Term<&'s str>,
        op: &BinaryOp<&'s str>,
        right: &Term<&'s str>,
        dot: &Place,
    ) -> Walked<'s> {
        match op {
            BinaryOp::Pipe(None) => {
                let place = self.term(left, dot)?;
                self.term(right, &place)
            }
            BinaryOp::Pipe(Some(pattern)) => {
                let place = self.term(left, dot)?;
                let known = self.names.len();
                self.bind(pattern, &place);
                let result = self.term(right, dot);
                self.names.truncate(known);
                result
            }
            BinaryOp::Comma | BinaryOp::Alt => {
                let (one, other) = (self.term(left, dot)?, self.term(right, dot)?);
                if one == other {
                    return Ok(one);
                }
                self.look_at(&one);
                self.look_at(&other);
                Ok(Place::Made)
            }
            BinaryOp::Or | BinaryOp::And | BinaryOp::Math(_) | BinaryOp::Cmp(_) => {
                self.all_used([left, right], dot)
            }
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                let at = first_text(left).or_else(|| first_text(right)).unwrap_or(self.whole);
                Err(self.refuse(at, "an expression changes nothing; to compare, write =="))
            }
        }
    }

    fn bind(&mut self, pattern: &Pattern<&'s str>, place: &Place) {
        match pattern {
            Pattern::Var(name) => self.names.push((name, place.clone())),
            Pattern::Arr(items) => {
                self.look_at(place);
                items.iter().for_each(|item| self.bind(item, &Place::Made));
            }
            Pattern::Obj(members) => {
                self.look_at(place);
                members.iter().for_each(|(_, value)| self.bind(value, &Place::Made));
            }
        }
    }

    fn call(&mut self, name: &'s str, arguments: &[Term<&'s str>], dot: &Place) -> Walked<'s> {
        let mut named = FUNCTIONS.iter().filter(|function| function.name == name).peekable();
        if named.peek().is_none() {
            return Err(self.refuse(name, format!("there is no function {name}{}", nearest(name))));
        }
        if !named.clone().any(|function| function.arity == arguments.len()) {
            let takes: Vec<String> = named.map(|function| function.arity.to_string()).collect();
            let why =
                format!("{name} takes {} arguments, not {}", takes.join(" or "), arguments.len());
            return Err(self.refuse(name, why));
        }
        // What it is called on is looked at, and so what the arguments see as their input.
        self.look_at(dot);
        self.all_used(arguments, &Place::Made)
    }

    fn variable(&mut self, name: &'s str) -> Walked<'s> {
        if let Some((_, place)) = self.names.iter().rev().find(|(known, _)| *known == name) {
            return Ok(place.clone());
        }
        self.reads.before |= name == BEFORE;
        if matches!(name, STATE | BEFORE) {
            return Ok(Place::State { path: Path::root(), exact: true });
        }
        Err(self
            .refuse(name, format!("there is no variable {name}; there are {STATE} and {BEFORE}")))
    }

    fn path(
        &mut self,
        base: &Term<&'s str>,
        steps: &Steps<Term<&'s str>>,
        dot: &Place,
    ) -> Walked<'s> {
        let mut place = self.term(base, dot)?;
        for (step, _) in &steps.0 {
            place = match (place, step) {
                (Place::State { path, exact: true }, Part::Index(index)) => {
                    match plain_text(index) {
                        Some(key) => Place::State { path: path.child(key), exact: true },
                        None => {
                            self.used(index, dot)?;
                            Place::State { path, exact: false }
                        }
                    }
                }
                (place, step) => {
                    let parts = match step {
                        Part::Index(index) => [Some(index), None],
                        Part::Range(from, to) => [from.as_ref(), to.as_ref()],
                    };
                    self.all_used(parts.into_iter().flatten(), dot)?;
                    match place {
                        Place::State { path, .. } => Place::State { path, exact: false },
                        other => other,
                    }
                }
            };
        }
        Ok(place)
    }

    fn refuse(&self, at: &'s str, why: impl Into<String>) -> Refused<'s> {
        Refused { at, why: why.into() }
    }
}

/// `; did you mean …?`, where a function has nearly that name.
fn nearest(name: &str) -> String {
    let mut names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    names.dedup();
    match nearest_of(name, names.into_iter()).first() {
        Some(known) => format!("; did you mean {known}?"),
        None => String::new(),
    }
}

/// The text of a string without escapes and parts to fill in.
fn plain_text<'s>(term: &Term<&'s str>) -> Option<&'s str> {
    match term {
        Term::Str(None, parts) => match parts.as_slice() {
            [StrPart::Str(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Some part of the text that a term was read from.
fn first_text<'s>(term: &Term<&'s str>) -> Option<&'s str> {
    match term {
        Term::Num(text) | Term::Call(text, _) | Term::Var(text) | Term::Break(text) => Some(text),
        Term::Str(..) => plain_text(term),
        Term::Path(base, steps) => first_text(base).or_else(|| {
            steps.0.iter().find_map(|(step, _)| match step {
                Part::Index(index) => plain_text(index),
                Part::Range(..) => None,
            })
        }),
        Term::BinOp(left, _, right) => first_text(left).or_else(|| first_text(right)),
        Term::Neg(term) => first_text(term),
        _ => None,
    }
}

/// The only types of events for which the term can be true.
fn types(term: &Term<&str>) -> Option<Vec<SmolStr>> {
    match term {
        Term::BinOp(left, BinaryOp::And, right) => types(left).or_else(|| types(right)),
        Term::BinOp(left, BinaryOp::Or, right) => {
            let mut both = types(left)?;
            both.extend(types(right)?);
            Some(both)
        }
        Term::BinOp(left, BinaryOp::Cmp(Cmp::Eq), right) => {
            let name = if is_type(left) {
                plain_text(right)?
            } else if is_type(right) {
                plain_text(left)?
            } else {
                return None;
            };
            Some(vec![name.into()])
        }
        Term::Call("select", arguments) => types(arguments.first()?),
        Term::BinOp(left, BinaryOp::Pipe(None), _) if matches!(**left, Term::Call("select", _)) => {
            types(left)
        }
        _ => None,
    }
}

/// Whether the term is `.event_type`.
fn is_type(term: &Term<&str>) -> bool {
    match term {
        Term::Path(base, steps) => match (&**base, steps.0.as_slice()) {
            (Term::Id, [(Part::Index(index), _)]) => plain_text(index) == Some("event_type"),
            _ => false,
        },
        _ => false,
    }
}
