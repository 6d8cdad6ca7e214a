//! The table of secrets that are known by their shape, and of the names under which secrets go.
//!
//! Lives here: what a key or token looks like. May not live here: looking for it.
//! The shapes are those that the issuers document so that leaks can be found by them.

/// A secret that begins in a way that nothing else does.
pub(super) struct Shape {
    /// What the marker calls it.
    pub(super) name: &'static str,
    /// How it begins.
    pub(super) prefix: &'static str,
    /// What may follow.
    pub(super) body: Body,
    /// The least number of characters that follow.
    pub(super) least: usize,
}

/// The characters that a secret goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_` and `-`.
    Word,
    /// [`Body::Word`] and dots.
    Dotted,
    /// Capital letters and digits.
    Upper,
    /// Digits and `a` to `f`.
    Hex,
    /// Base64 of either alphabet.
    Base64,
    /// What stands in a path of a URL.
    Path,
}

impl Body {
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Base64 => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'=')
            }
            Self::Path => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/'),
        }
    }
}

macro_rules! shapes {
    ($($name:literal $prefix:literal $body:ident $least:literal;)*) => {
        &[$(Shape { name: $name, prefix: $prefix, body: Body::$body, least: $least },)*]
    };
}

/// The shapes, those together that begin with the same byte; of several that fit, the first counts.
pub(super) const SHAPES: &[Shape] = shapes! {
    "aws-access-key" "AKIA" Upper 16;
    "aws-access-key" "ASIA" Upper 16;
    "aws-access-key" "ABIA" Upper 16;
    "aws-access-key" "ACCA" Upper 16;
    "google-api-key" "AIza" Word 35;
    "age-secret-key" "AGE-SECRET-KEY-1" Upper 50;
    "atlassian-token" "ATATT3" Base64 50;
    "atlassian-token" "ATCTT3" Base64 50;
    "google-client-secret" "GOCSPX-" Word 20;
    "newrelic-key" "NRAK-" Alnum 20;
    "postman-key" "PMAK-" Word 40;
    "sendgrid-key" "SG." Dotted 40;
    "twilio-key" "SK" Hex 32;
    "crates-io-token" "cio" Alnum 32;
    "discord-webhook" "discord.com/api/webhooks/" Path 30;
    "discord-webhook" "discordapp.com/api/webhooks/" Path 30;
    "docker-token" "dckr_pat_" Word 20;
    "docker-token" "dckr_oat_" Word 20;
    "digitalocean-token" "dop_v1_" Hex 40;
    "digitalocean-token" "doo_v1_" Hex 40;
    "digitalocean-token" "dor_v1_" Hex 40;
    "databricks-token" "dapi" Hex 32;
    "doppler-token" "dp.pt." Alnum 40;
    "doppler-token" "dp.st." Dotted 40;
    "json-web-token" "eyJ" Dotted 40;
    "figma-token" "figd_" Word 30;
    "github-token" "ghp_" Alnum 30;
    "github-token" "gho_" Alnum 30;
    "github-token" "ghu_" Alnum 30;
    "github-token" "ghs_" Alnum 30;
    "github-token" "ghr_" Alnum 30;
    "github-token" "github_pat_" Word 22;
    "gitlab-token" "glpat-" Dotted 20;
    "gitlab-token" "gldt-" Word 20;
    "gitlab-token" "glrt-" Dotted 20;
    "gitlab-token" "glcbt-" Word 20;
    "gitlab-token" "glptt-" Word 20;
    "grafana-token" "glsa_" Word 32;
    "grafana-token" "glc_" Base64 32;
    "groq-key" "gsk_" Alnum 40;
    "slack-webhook" "hooks.slack.com/services/" Path 20;
    "slack-webhook" "hooks.slack.com/workflows/" Path 20;
    "huggingface-token" "hf_" Alnum 30;
    "vault-token" "hvs." Word 20;
    "vault-token" "hvb." Word 20;
    "mailgun-key" "key-" Hex 32;
    "linear-key" "lin_api_" Alnum 32;
    "npm-token" "npm_" Alnum 30;
    "notion-token" "ntn_" Alnum 40;
    "pypi-token" "pypi-" Word 50;
    "planetscale-password" "pscale_pw_" Word 32;
    "planetscale-token" "pscale_tkn_" Word 32;
    "pulumi-token" "pul-" Hex 40;
    "airtable-token" "pat" Dotted 79;
    "perplexity-key" "pplx-" Alnum 40;
    "stripe-key" "rk_live_" Alnum 16;
    "stripe-key" "rk_test_" Alnum 16;
    "rubygems-key" "rubygems_" Hex 40;
    "anthropic-key" "sk-ant-" Word 20;
    "openai-key" "sk-proj-" Word 20;
    "openai-key" "sk-svcacct-" Word 20;
    "openrouter-key" "sk-or-v1-" Word 20;
    "api-key" "sk-" Alnum 20;
    "stripe-key" "sk_live_" Alnum 16;
    "stripe-key" "sk_test_" Alnum 16;
    "shopify-token" "shpat_" Hex 32;
    "shopify-token" "shpca_" Hex 32;
    "shopify-token" "shppa_" Hex 32;
    "shopify-token" "shpss_" Hex 32;
    "supabase-key" "sbp_" Hex 40;
    "sentry-token" "sntrys_" Base64 40;
    "tailscale-key" "tskey-" Word 20;
    "stripe-webhook-secret" "whsec_" Base64 24;
    "slack-token" "xoxa-" Word 10;
    "slack-token" "xoxb-" Word 10;
    "slack-token" "xoxe-" Word 10;
    "slack-token" "xoxe.xox" Dotted 10;
    "slack-token" "xoxo-" Word 10;
    "slack-token" "xoxp-" Word 10;
    "slack-token" "xoxr-" Word 10;
    "slack-token" "xoxs-" Word 10;
    "slack-token" "xapp-" Word 10;
    "google-oauth-token" "ya29." Word 20;
};

/// The ends of names under which passwords go, in small letters without `_`, `-` and `.`; whatever
/// such a field holds is a secret.
pub(super) const PASSWORDS: &[&str] = &["password", "passwd", "passphrase"];

/// The ends of names under which keys and tokens go, as with [`PASSWORDS`].
pub(super) const KEYS: &[&str] = &[
    "secret",
    "secretkey",
    "secretaccesskey",
    "clientsecret",
    "accountkey",
    "sharedaccesskey",
    "accesskey",
    "apikey",
    "apitoken",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "bearertoken",
    "sessiontoken",
    "idtoken",
    "token",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "credential",
    "credentials",
    "connectionstring",
    "authorization",
    "setcookie",
];

/// The shapes that begin with each byte: where in the table the first of them stands, and where
/// they end.
pub(super) const BY_FIRST_BYTE: [(u8, u8); 256] = {
    let mut ranges = [(0, 0); 256];
    let mut at: u8 = 0;
    while (at as usize) < SHAPES.len() {
        let first = SHAPES[at as usize].prefix.as_bytes()[0] as usize;
        if ranges[first].1 == 0 {
            ranges[first].0 = at;
        }
        at += 1;
        ranges[first].1 = at;
    }
    ranges
};

/// For each first byte of a shape, which second bytes there are: one bit for each byte of ASCII.
pub(super) const SECOND_BYTES: [u128; 256] = {
    let mut seconds = [0; 256];
    let mut at = 0;
    while at < SHAPES.len() {
        let prefix = SHAPES[at].prefix.as_bytes();
        seconds[prefix[0] as usize] |= 1 << prefix[1];
        at += 1;
    }
    seconds
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_with_the_letters_that_are_looked_for() {
        for name in PASSWORDS.iter().chain(KEYS) {
            assert!(name.ends_with(['d', 'e', 'g', 'l', 'n', 's', 't', 'y']), "{name}");
        }
    }

    #[test]
    fn every_shape_stands_with_those_that_begin_alike() {
        for shape in SHAPES {
            let first = shape.prefix.as_bytes()[0];
            let (start, end) = BY_FIRST_BYTE[usize::from(first)];
            let alike = &SHAPES[usize::from(start)..usize::from(end)];
            assert!(alike.iter().all(|s| s.prefix.as_bytes()[0] == first), "{}", shape.prefix);
            assert!(alike.iter().any(|s| s.prefix == shape.prefix), "{}", shape.prefix);
        }
    }

    #[test]
    fn no_shape_hides_a_later_one_that_says_more() {
        for (at, shape) in SHAPES.iter().enumerate() {
            for later in &SHAPES[at + 1..] {
                let hidden = later.prefix.starts_with(shape.prefix)
                    && later.prefix[shape.prefix.len()..].bytes().all(|b| shape.body.has(b));
                assert!(!hidden, "{} hides {}", shape.prefix, later.prefix);
            }
        }
    }
}
