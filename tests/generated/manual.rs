//! The header as a manual: cbindgen's items, put into the chapters of `src/ffi/manual.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A declaration of cbindgen's, with its comment.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) name: String,
    /// The doc comment, without its stars.
    pub(crate) comment: String,
    /// As C declares it, on one line.
    pub(crate) declaration: String,
    text: String,
}

impl Item {
    pub(crate) fn is_function(&self) -> bool {
        !self.declaration.starts_with("typedef") && !self.declaration.starts_with('#')
    }

    fn mentions(&self, name: &str) -> bool {
        words(&self.text).any(|word| word == name)
    }
}

pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

struct Chapter {
    anchor: String,
    title: String,
    /// Names; with a `*` at the end, how they begin.
    items: Vec<String>,
    prose: String,
}

fn chapters(root: &Path) -> Vec<Chapter> {
    let text = std::fs::read_to_string(root.join("src/ffi/manual.md")).unwrap();
    let (_, text) = text.split_once("-->\n").expect("the file begins with a comment");
    assert!(!text.contains("*/"), "this would end the C comment");
    text.split("\n# ")
        .skip(1)
        .map(|block| {
            let (head, prose) = block.split_once("\n\n").unwrap_or_else(|| panic!("no prose: {block}"));
            let (heading, items) = head.split_once("\nitems: ").unwrap_or_else(|| panic!("no items: {head}"));
            let (anchor, title) = heading.split_once(": ").unwrap_or_else(|| panic!("no anchor: {heading}"));
            Chapter {
                anchor: anchor.to_owned(),
                title: title.to_owned(),
                items: items.split_whitespace().map(str::to_owned).collect(),
                prose: prose.trim().to_owned(),
            }
        })
        .collect()
}

/// The files of `src/ffi` that export something.
pub(crate) fn files(root: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(root.join("src/ffi")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| std::fs::read_to_string(path).unwrap().contains("#[unsafe(no_mangle)]"));
    files.sort();
    files
}

/// Takes a header apart: what stands before the first item, and the items.
fn items(header: &str) -> (&str, Vec<Item>) {
    let includes = header.find("#include").expect("it includes stdint.h");
    let first = includes + header[includes..].find("/**\n").expect("the items have comments");
    let (front, mut rest) = header.split_at(first);
    let mut found = Vec::new();
    while let Some(start) = rest.find("/**\n") {
        rest = &rest[start..];
        let body = rest.find(" */\n").unwrap() + 4;
        if rest[..body].contains("@defgroup") {
            rest = &rest[body..];
            continue;
        }
        let end = if rest[body..].starts_with('#') {
            body + rest[body..].find('\n').unwrap() + 1
        } else {
            // A declaration ends at the first semicolon outside of braces and of comments.
            let (mut depth, mut comment) = (0, false);
            let bytes = rest.as_bytes();
            let end = (body..rest.len()).find(|&at| {
                match &bytes[at..] {
                    [b'/', b'*', ..] => comment = true,
                    [b'*', b'/', ..] => comment = false,
                    [b'{', ..] if !comment => depth += 1,
                    [b'}', ..] if !comment => depth -= 1,
                    _ => {}
                }
                bytes[at] == b';' && depth == 0 && !comment
            });
            end.expect("a declaration has an end") + 2
        };
        let text = &rest[..end];
        let comment: Vec<&str> = rest[..body]
            .lines()
            .filter_map(|line| line.strip_prefix(" * ").or(line.strip_prefix(" *")))
            .filter(|line| *line != "/")
            .collect();
        let declaration = rest[body..end].split_whitespace().collect::<Vec<_>>().join(" ");
        found.push(Item {
            name: name(&declaration),
            comment: comment.join("\n"),
            declaration,
            text: text.to_owned(),
        });
        rest = &rest[end..];
    }
    (front, found)
}

fn name(declaration: &str) -> String {
    let before = match declaration.strip_prefix("typedef ") {
        Some(callback) if callback.starts_with("void (*") => callback.split(')').next(),
        Some(_) => declaration.strip_suffix(';'),
        None if declaration.starts_with('#') => declaration.split(' ').nth(1),
        None => declaration.split('(').next(),
    };
    words(before.unwrap_or_default()).last().unwrap_or_default().to_owned()
}

/// The number of a chapter, and which of its items it is.
type Place = (usize, usize);

/// The place that names a name best.
fn named(name: &str, chapters: &[Chapter]) -> Option<Place> {
    let all = chapters.iter().enumerate().flat_map(|(number, chapter)| {
        chapter.items.iter().enumerate().map(move |(index, item)| ((number, index), item))
    });
    all.filter(|(_, item)| match item.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *item,
    })
    .max_by_key(|(_, item)| item.len())
    .map(|(place, _)| place)
}

fn places(items: &[Item], chapters: &[Chapter]) -> BTreeMap<String, Place> {
    let mut places: BTreeMap<String, Place> =
        items.iter().filter_map(|item| Some((item.name.clone(), named(&item.name, chapters)?))).collect();
    // Types, by who mentions them; those that only types mention come after these.
    loop {
        let missing: Vec<&Item> = items.iter().filter(|item| !places.contains_key(&item.name)).collect();
        let found: Vec<(String, Place)> = missing
            .iter()
            .filter(|item| !item.is_function())
            .filter_map(|type_| {
                let mentioning = items.iter().filter(|item| item.mentions(&type_.name));
                let (chapter, _) = mentioning.filter_map(|item| places.get(&item.name)).min()?;
                Some((type_.name.clone(), (*chapter, 0)))
            })
            .collect();
        if found.is_empty() {
            let missing: Vec<&str> = missing.iter().map(|item| item.name.as_str()).collect();
            assert!(missing.is_empty(), "in no chapter of src/ffi/manual.md: {missing:?}");
            return places;
        }
        places.extend(found);
    }
}

/// All items of the header with their comments.
pub(crate) fn read(header: &str) -> Vec<Item> {
    items(header).1
}

fn comment(text: &str) -> String {
    let lines: String = text.lines().map(|line| format!(" * {line}").trim_end().to_owned() + "\n").collect();
    format!("/**\n{lines} */\n")
}

/// cbindgen's header with its items in chapters, which doxygen knows as groups.
pub(crate) fn arrange(header: &str, root: &Path) -> String {
    let (front, items) = items(header);
    let chapters = chapters(root);
    let places = places(&items, &chapters);
    let mut out = front.to_owned();
    out += "#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
    for (number, chapter) in chapters.iter().enumerate() {
        out += "\n";
        out +=
            &comment(&format!("@defgroup {} {}\n\n{}\n\n@{{", chapter.anchor, chapter.title, chapter.prose));
        let mut inside: Vec<(Place, &Item)> = items.iter().map(|item| (places[&item.name], item)).collect();
        inside.retain(|((chapter, _), _)| *chapter == number);
        // Types as cbindgen has them, where they need each other; functions as the chapter names them.
        inside.sort_by_key(|((_, index), item)| {
            (item.is_function(), if item.is_function() { *index } else { 0 })
        });
        for (_, item) in inside {
            out += "\n";
            out += &item.text;
        }
        out += "\n/** @} */\n";
    }
    out += "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* WSGATE_H */\n";
    out
}
