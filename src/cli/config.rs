//! `config show`: every setting in force and where it comes from.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::config::{Setting, Standing};

use super::context::Context;
use super::failure::Outcome;
use super::output::{Format, Role, Table};

/// The flags of `config`.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print every setting, its value and where that comes from
    #[command(
        after_help = "Examples:\n  chronoscope config show\n  chronoscope config show --json\n\nThe configuration is the file of --config, else of $CHRONOSCOPE_CONFIG, else the nearest\nconfig/event-sourcing.yaml or event-sourcing.yaml upwards, else the user's. Settings that\nhave an effect can also be set in the environment: query.default_page_size is\n$CHRONOSCOPE_QUERY_DEFAULT_PAGE_SIZE."
    )]
    Show,
}

pub(crate) fn run(context: &mut Context, flags: &Flags) -> Outcome {
    match flags.command {
        Command::Show => show(context),
    }
}

fn show(context: &mut Context) -> Outcome {
    context.tell_warnings();
    match context.out.format {
        Format::Text => as_text(context),
        Format::Json => {
            let settings: Vec<Value> = rows(context).collect();
            let file = context.config.file().map(|path| path.display().to_string());
            Ok(context.out.json(&json!({"file": file, "settings": settings}))?)
        }
        Format::Jsonl => {
            let settings: Vec<Value> = rows(context).collect();
            Ok(settings.iter().try_for_each(|row| context.out.json(row))?)
        }
    }
}

fn rows(context: &Context) -> impl Iterator<Item = Value> {
    Setting::TABLE.iter().map(|spec| {
        let (value, origin) = context.config.value(spec.setting);
        let mut row = json!({"key": spec.key, "value": value, "origin": origin.to_string()});
        match spec.standing {
            Standing::Obeyed => {}
            Standing::NoEffect(why) => row["no_effect"] = why.into(),
            Standing::Fixed(why) => row["fixed"] = why.into(),
        }
        if let Some(given) = context.config.given(spec.setting)
            && origin == crate::config::Origin::Default
        {
            row["not_obeyed"] = json!({"value": given.value, "origin": given.origin.to_string()});
        }
        row
    })
}

fn as_text(context: &mut Context) -> Outcome {
    let paint = context.out.paint;
    let file = match context.config.file() {
        Some(file) => file.display().to_string(),
        None => "none; the defaults hold".to_owned(),
    };
    context.out.line(format!("{} {file}\n", paint.of(Role::Strong, "file")))?;
    let mut table = Table::new("");
    for spec in Setting::TABLE {
        let (value, origin) = context.config.value(spec.setting);
        let given = origin != crate::config::Origin::Default;
        let shown = value.map_or_else(|| "–".to_owned(), |value| short(&value));
        let mut origin = origin.to_string();
        match spec.standing {
            Standing::NoEffect(why) if given => origin = format!("{origin}, no effect: {why}"),
            Standing::Fixed(why) if context.config.given(spec.setting).is_some() => {
                origin = format!("fixed: {why}");
            }
            _ => {}
        }
        let role = if given { Role::Changed } else { Role::Dim };
        let key = if spec.standing == Standing::Obeyed { None } else { Some(Role::Dim) };
        table.row([(key, spec.key), (given.then_some(role), &shown), (Some(Role::Dim), &origin)]);
    }
    Ok(context.out.table(&table)?)
}

fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    super::output::cut(&text, 40)
}
