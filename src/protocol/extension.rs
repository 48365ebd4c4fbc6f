//! The `Sec-WebSocket-Extensions` header (RFC 6455 §9.1).

use std::borrow::Cow;

/// One extension that a client offers, with its parameters in their order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offer<'a> {
    pub(crate) name: &'a str,
    pub(crate) parameters: Vec<(&'a str, Option<Cow<'a, str>>)>,
}

/// Reads one line of the header. `None` when it breaks the grammar: then nothing in it counts.
pub(crate) fn parse(line: &str) -> Option<Vec<Offer<'_>>> {
    let mut rest = line.trim_matches(BLANK);
    let mut offers = Vec::new();
    while !rest.is_empty() {
        // Empty list elements are allowed (RFC 9110 §5.6.1.2).
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start_matches(BLANK);
            continue;
        }
        let (offer, after) = one(rest)?;
        offers.push(offer);
        rest = after;
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
    Some(offers)
}

const BLANK: [char; 2] = [' ', '\t'];

fn one(text: &str) -> Option<(Offer<'_>, &str)> {
    let (name, mut rest) = token(text)?;
    let mut parameters = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        let (name, after) = token(after.trim_start_matches(BLANK))?;
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => {
                let (value, after) = value(after.trim_start_matches(BLANK))?;
                (Some(value), after)
            }
            None => (None, after),
        };
        parameters.push((name, value));
        rest = after;
    }
    Some((Offer { name, parameters }, rest))
}

/// A token (RFC 9110 §5.6.2), and what follows behind the blanks.
fn token(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !is_token_char(c)).unwrap_or(text.len());
    let (token, rest) = text.split_at_checked(end)?;
    (!token.is_empty()).then(|| (token, rest.trim_start_matches(BLANK)))
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// A token, or a quoted string whose content is one.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (Cow::Borrowed(value), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let rest = quoted.get(at + 1..)?.trim_start_matches(BLANK);
                return (!value.is_empty()).then_some((Cow::Owned(value), rest));
            }
            '\\' => value.push(characters.next().map(|(_, c)| c).filter(|c| is_token_char(*c))?),
            other => value.push(Some(other).filter(|c| is_token_char(*c))?),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Option<String> {
        Some(format!(
            "{:?}",
            parse(line)?
                .into_iter()
                .map(|offer| {
                    let parameters: Vec<String> = offer
                        .parameters
                        .iter()
                        .map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("-")))
                        .collect();
                    format!("{} {}", offer.name, parameters.join(" "))
                })
                .collect::<Vec<_>>()
        ))
    }

    #[test]
    fn lists_parameters_and_quoted_values_are_read() {
        for (line, offers) in [
            ("", "[]"),
            ("a", r#"["a "]"#),
            ("a;b;c=1, d", r#"["a b=- c=1", "d "]"#),
            (" a ; b = 10 ;c=\"1\\0\" ,\t, d;e ,", r#"["a b=10 c=10", "d e=-"]"#),
        ] {
            assert_eq!(shown(line).as_deref(), Some(offers), "{line:?}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        for line in [
            "a b",
            "a;",
            "a;=1",
            "a;b=",
            "a;b=\"",
            "a;b=\"\"",
            "a;b=\"x y\"",
            "a;b=\"x\"y",
            "ä",
            "a;;b",
            "=",
            "a;b=\"\\",
        ] {
            assert_eq!(parse(line), None, "{line:?}");
        }
    }
}
