//! The rules for chosen passwords, after NIST SP 800-63B-4: a length, and no password that attackers guess first. There
//! are no rules of composition.

use super::normal;
use crate::{
    platform::{FieldError, values::Text},
    text,
};
use std::sync::LazyLock;

/// The fewest characters, as Unicode code points, of a password without a second factor.
const SHORTEST: usize = 15;
/// The fewest characters of a password beside a second factor.
const SHORTEST_WITH_SECOND_FACTOR: usize = 8;
/// The most characters of a password.
const LONGEST: usize = 128;
/// The longest run of characters whose mere repetition is refused.
const UNIT: usize = 8;
/// The fewest characters of a word in a name or address that counts as personal; shorter words occur by chance.
const TELLING: usize = 4;
/// The name of the service, whose words count as personal too.
const SERVICE: &str = "partner incentives programme";

/// Common passwords of 8 characters or more, sorted; `NOTICE` names the source.
static COMMON: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// The user who chooses a password.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The user's e-mail address.
    pub email: &'a str,
    /// The user's name, as shown to people.
    pub name: &'a str,
    /// Whether a second factor stands beside the password.
    pub has_second_factor: bool,
}

/// The fault of a password at `pointer`; none of a password that the user may choose.
#[must_use]
pub fn check(password: &str, owner: Owner<'_>, pointer: &str) -> Option<FieldError> {
    let text = normal(password);
    let fault = |code: &'static str, message: Text| Some(FieldError::new(pointer, code, message));
    let least = if owner.has_second_factor { SHORTEST_WITH_SECOND_FACTOR } else { SHORTEST };
    match text.chars().count() {
        short if short < least => {
            return fault(
                "too_short",
                text!(
                    "it has {short} characters; take at least {least}, such as four or five words",
                    "パスワードが {short} 文字です。単語を 4～5 個並べるなどして、{least} 文字以上にしてください。"
                ),
            );
        }
        long if long > LONGEST => {
            return fault(
                "too_long",
                text!(
                    "it has {long} characters; take at most {LONGEST}",
                    "パスワードが {long} 文字です。{LONGEST} 文字以内にしてください。"
                ),
            );
        }
        _ => {}
    }
    let folded = normal(&text.to_lowercase());
    if is_common(&folded) {
        return fault(
            "too_common",
            text!(
                "it is one of the passwords everybody tries first; take another one",
                "推測されやすい、よく使われるパスワードです。別のパスワードを指定してください。"
            ),
        );
    }
    if repeats_itself(&folded) {
        return fault(
            "repetitive",
            text!(
                "it repeats itself; add something that is not there yet",
                "同じ文字列の繰り返しです。異なる文字列を加えてください。"
            ),
        );
    }
    if leaves_little(&folded, owner, least.min(UNIT)) {
        let message = text!(
            "it is little more than your name, your address or the name of this service; add other words",
            "氏名、メールアドレスまたは本サービスの名称とほぼ同じです。別の単語を加えてください。"
        );
        return fault("too_personal", message);
    }
    None
}

fn is_common(text: &str) -> bool {
    COMMON.binary_search(&text).is_ok()
}

/// Whether the text repeats a short or a common run of characters; the last repetition may be cut off.
fn repeats_itself(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    (1..letters.len()).any(|length| {
        let (unit, rest) = letters.split_at(length);
        let periodic = rest.iter().zip(&letters).all(|(later, earlier)| later == earlier);
        let twice = length * 2 <= letters.len();
        periodic && ((twice && length <= UNIT) || is_common(&unit.iter().collect::<String>()))
    })
}

/// Whether fewer than `least` characters remain without the words of the user's name and address and of the service's
/// name.
fn leaves_little(text: &str, owner: Owner<'_>, least: usize) -> bool {
    let (name, email) = (normal(&owner.name.to_lowercase()), normal(&owner.email.to_lowercase()));
    let mut known: Vec<&str> = [name.as_str(), email.as_str(), SERVICE]
        .iter()
        .flat_map(|words| words.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.chars().count() >= TELLING)
        .collect();
    // The longest word comes first, so that removing a shorter word leaves no part of a longer word.
    known.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let rest = known.iter().fold(text.to_owned(), |text, word| text.replace(word, " "));
    rest != text && rest.chars().filter(|c| c.is_alphanumeric()).count() < least
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIA: Owner<'_> =
        Owner { email: "mia.mertens@contoso.example", name: "Mia Mertens", has_second_factor: false };

    fn code(password: &str, owner: Owner<'_>) -> Option<String> {
        check(password, owner, "/new_password").map(|fault| fault.code.into_owned())
    }

    #[test]
    fn the_list_can_be_searched() {
        assert!(COMMON.is_sorted() && COMMON.len() > 8000);
        assert!(COMMON.iter().all(|password| password.chars().count() >= SHORTEST_WITH_SECOND_FACTOR));
        assert!(is_common("password") && is_common("qwertyuiop") && !is_common("correct horse"));
    }

    #[test]
    fn length_is_counted_in_characters_after_normalisation() {
        let with_factor = Owner { has_second_factor: true, ..MIA };
        for (password, owner, expected) in [
            ("fourteen chars", MIA, Some("too_short")),
            ("fifteen chars !", MIA, None),
            // Fifteen code points that become fourteen characters.
            ("fu\u{308}nfzehn Zeich", MIA, Some("too_short")),
            ("桜の木の下で猫が十五匹眠っています", MIA, None),
            ("tr0mbone", with_factor, None),
            ("tr0mbon", with_factor, Some("too_short")),
            ("tr0mbone", MIA, Some("too_short")),
        ] {
            assert_eq!(code(password, owner).as_deref(), expected, "{password}");
        }
        let long: String = ('\u{4e00}'..).take(128).collect();
        assert_eq!(code(&long, MIA), None);
        assert_eq!(code(&format!("{long}x"), MIA).as_deref(), Some("too_long"));
    }

    #[test]
    fn what_is_guessed_first_is_refused_and_nothing_else() {
        let with_factor = Owner { has_second_factor: true, ..MIA };
        for (password, owner, expected) in [
            ("Password1", with_factor, Some("too_common")),
            ("aaaaaaaaaaaaaaaaaaaa", MIA, Some("repetitive")),
            ("abcabcabcabcabcabc", MIA, Some("repetitive")),
            ("123456789012345", MIA, Some("repetitive")),
            ("PasswordPassword", MIA, Some("repetitive")),
            ("MiaMertens-Contoso", MIA, Some("too_personal")),
            ("partner-incentives-1", MIA, Some("too_personal")),
            ("mertens likes violets", MIA, None),
            ("all lower case words", MIA, None),
            ("               x", MIA, None),
        ] {
            assert_eq!(code(password, owner).as_deref(), expected, "{password}");
        }
    }
}
