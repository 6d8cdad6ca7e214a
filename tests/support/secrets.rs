//! One secret of each shape that is known, for the tests of what finds them and of what writes.

/// A secret as it stands in a text, and its kind. Put together here, so that no scanner takes this
/// file for a leak.
pub(crate) fn secrets() -> Vec<(String, &'static str)> {
    let many = |part: &str, n: usize| part.chars().cycle().take(n).collect::<String>();
    let (alnum, hex, upper) = ("aB3dE5gH7jK9mN1pQ2r", "0a1b2c3d4e5f6789", "ABCDEFGH23456789");
    let prefixed = [
        ("AK|IA", upper, 16, "aws-access-key"),
        ("AS|IA", upper, 16, "aws-access-key"),
        ("gh|p_", alnum, 36, "github-token"),
        ("gh|s_", alnum, 36, "github-token"),
        ("github|_pat_", alnum, 60, "github-token"),
        ("gl|pat-", alnum, 20, "gitlab-token"),
        ("xo|xb-123456789012-", alnum, 24, "slack-token"),
        ("xa|pp-1-A012-", alnum, 40, "slack-token"),
        ("https://hooks.slack|.com/services/T000/B000/", alnum, 24, "slack-webhook"),
        ("https://discord.com/api|/webhooks/123456789/", alnum, 40, "discord-webhook"),
        ("sk|-ant-api03-", alnum, 80, "anthropic-key"),
        ("sk|-proj-", alnum, 60, "openai-key"),
        ("sk|-", alnum, 48, "api-key"),
        ("AI|za", alnum, 35, "google-api-key"),
        ("ya|29.", alnum, 60, "google-oauth-token"),
        ("GOC|SPX-", alnum, 28, "google-client-secret"),
        ("sk_|live_", alnum, 24, "stripe-key"),
        ("wh|sec_", alnum, 32, "stripe-webhook-secret"),
        ("np|m_", alnum, 36, "npm-token"),
        ("py|pi-AgEIcHlwaS5vcmc", alnum, 80, "pypi-token"),
        ("dckr|_pat_", alnum, 27, "docker-token"),
        ("dop|_v1_", hex, 64, "digitalocean-token"),
        ("h|f_", alnum, 34, "huggingface-token"),
        ("da|pi", hex, 32, "databricks-token"),
        ("hv|s.", alnum, 24, "vault-token"),
        ("AGE-SECRET|-KEY-1", upper, 58, "age-secret-key"),
        ("ATA|TT3x", alnum, 180, "atlassian-token"),
        ("shp|at_", hex, 32, "shopify-token"),
        ("S|K", hex, 32, "twilio-key"),
        ("lin|_api_", alnum, 40, "linear-key"),
        ("gls|a_", alnum, 41, "grafana-token"),
        ("NR|AK-", upper, 27, "newrelic-key"),
    ];
    let mut all: Vec<(String, &'static str)> = prefixed
        .iter()
        .map(|(prefix, body, n, name)| (prefix.replace('|', "") + &many(body, *n), *name))
        .collect();
    let dotted = |parts: &[String]| parts.join(".");
    all.push((
        format!("S{}", dotted(&["G".into(), many(alnum, 22), many(alnum, 43)])),
        "sendgrid-key",
    ));
    let jwt = [
        "ey".to_owned() + "JhbGciOiJIUzI1NiJ9",
        "ey".to_owned() + "JzdWIiOiIxMjM0In0",
        many(alnum, 43),
    ];
    all.push((dotted(&jwt), "json-web-token"));
    all.push((format!("123456789:AA{}", many(alnum, 33)), "telegram-token"));
    all
}
