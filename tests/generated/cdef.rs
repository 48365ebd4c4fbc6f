//! The header as PHP's FFI takes it: no preprocessor, no comments, one declaration a line.

/// One function of the header.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) returns: String,
    pub(crate) name: String,
    /// Each parameter's type and name.
    pub(crate) parameters: Vec<(String, String)>,
}

/// A declaration of the header, without its comments.
#[derive(Debug)]
pub(crate) enum Declaration {
    Enum { name: String, constants: Vec<(String, i64)> },
    Opaque { name: String },
    Struct { name: String, fields: Vec<(String, String)> },
    Callback { name: String, parameters: Vec<(String, String)> },
    Function(Function),
}

/// The header's text without preprocessor lines and comments.
fn strip(header: &str) -> String {
    let mut out = String::new();
    let mut rest = header;
    while let Some(at) = rest.find("/*") {
        out.push_str(&rest[..at]);
        rest = rest[at..].split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    let mut in_cplusplus = false;
    out.lines()
        .filter(|line| {
            let directive = line.trim_start().starts_with('#');
            if directive {
                in_cplusplus = line.contains("__cplusplus");
            }
            !directive && !std::mem::take(&mut in_cplusplus)
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Splits `const char *text` into its type and its name.
fn typed(text: &str) -> (String, String) {
    let text = text.trim();
    let at = text.rfind([' ', '*']).map_or(0, |at| at + 1);
    (text[..at].trim().to_owned(), text[at..].to_owned())
}

fn parameters(text: &str) -> Vec<(String, String)> {
    match text.trim() {
        "void" | "" => Vec::new(),
        text => text.split(',').map(typed).collect(),
    }
}

/// Reads the declarations in their order. A line that fits no form fails: the header is regular.
pub(crate) fn declarations(header: &str) -> Vec<Declaration> {
    let text = strip(header).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = text.as_str();
    let mut found = Vec::new();
    while !rest.is_empty() {
        // A declaration ends at the first semicolon outside of braces.
        let mut depth = 0;
        let end = rest
            .find(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                c == ';' && depth == 0
            })
            .unwrap_or_else(|| panic!("no end: {rest}"));
        found.push(declaration(rest[..end].trim()));
        rest = rest[end + 1..].trim_start();
    }
    found
}

fn declaration(text: &str) -> Declaration {
    if let Some(text) = text.strip_prefix("typedef enum ") {
        let (body, name) = text.split_once('{').unwrap().1.split_once('}').unwrap();
        let constants =
            body.split(',').map(str::trim).filter(|constant| !constant.is_empty()).map(|constant| {
                let (name, value) = constant.split_once('=').unwrap();
                (name.trim().to_owned(), value.trim().parse().unwrap())
            });
        return Declaration::Enum { name: name.trim().to_owned(), constants: constants.collect() };
    }
    if let Some(text) = text.strip_prefix("typedef struct ") {
        let Some((_, body)) = text.split_once('{') else {
            return Declaration::Opaque { name: text.split(' ').next().unwrap().to_owned() };
        };
        let (body, name) = body.split_once('}').unwrap();
        let fields = body.split(';').map(str::trim).filter(|field| !field.is_empty()).map(typed);
        return Declaration::Struct { name: name.trim().to_owned(), fields: fields.collect() };
    }
    if let Some(text) = text.strip_prefix("typedef void (*") {
        let (name, text) = text.split_once(')').unwrap();
        let arguments = text.trim().strip_prefix('(').unwrap().strip_suffix(')').unwrap();
        return Declaration::Callback { name: name.to_owned(), parameters: parameters(arguments) };
    }
    let (head, arguments) = text.split_once('(').unwrap_or_else(|| panic!("no form: {text}"));
    let (returns, name) = typed(head);
    Declaration::Function(Function {
        returns,
        name,
        parameters: parameters(arguments.strip_suffix(')').unwrap()),
    })
}

pub(crate) fn functions(header: &str) -> Vec<Function> {
    declarations(header)
        .into_iter()
        .filter_map(|declaration| match declaration {
            Declaration::Function(function) => Some(function),
            _ => None,
        })
        .collect()
}

/// `const char *` and `name`, side by side as C writes them.
fn join((kind, name): &(String, String)) -> String {
    if kind.ends_with('*') { format!("{kind}{name}") } else { format!("{kind} {name}") }
}

fn list(parameters: &[(String, String)]) -> String {
    match parameters {
        [] => "void".to_owned(),
        parameters => parameters.iter().map(join).collect::<Vec<_>>().join(", "),
    }
}

pub(crate) fn generate(header: &str) -> String {
    let mut out = String::new();
    for declaration in declarations(header) {
        out += &match declaration {
            Declaration::Enum { name, constants } => {
                let constants: String =
                    constants.iter().map(|(name, value)| format!("  {name} = {value},\n")).collect();
                format!("typedef enum {name} {{\n{constants}}} {name};\n")
            }
            Declaration::Opaque { name } => format!("typedef struct {name} {name};\n"),
            Declaration::Struct { name, fields } => {
                let fields: String = fields.iter().map(|field| format!("  {};\n", join(field))).collect();
                format!("typedef struct {name} {{\n{fields}}} {name};\n")
            }
            Declaration::Callback { name, parameters } => {
                format!("typedef void (*{name})({});\n", list(&parameters))
            }
            Declaration::Function(function) => {
                let head = join(&(function.returns, function.name));
                format!("{head}({});\n", list(&function.parameters))
            }
        };
    }
    out
}
