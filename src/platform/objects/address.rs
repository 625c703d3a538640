//! The address of a store of objects.

use std::{fmt, path::PathBuf, str::FromStr};

/// Where objects are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAddress {
    /// A folder, made with the first object.
    Folder(PathBuf),
    /// A bucket of S3, or of a server that speaks like it.
    Bucket {
        /// The name of the bucket.
        name: String,
        /// What the keys in the bucket begin with; empty where the bucket is for these objects alone.
        prefix: String,
    },
}

impl FromStr for StoreAddress {
    type Err = String;

    /// Reads an address. An error never holds a piece of the address, which may be one of a secret.
    fn from_str(text: &str) -> Result<Self, String> {
        let mend = "write a folder, or s3://BUCKET/PREFIX; the keys of a bucket stand in AWS_ACCESS_KEY_ID and \
                    AWS_SECRET_ACCESS_KEY";
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.trim().is_empty() { Err(mend.into()) } else { Ok(Self::Folder(text.into())) };
        };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b));
        let has_parts = prefix.is_empty() || prefix.split('/').all(|part| !["", ".", ".."].contains(&part));
        if scheme != "s3" || name.is_empty() || !plain(rest) || !has_parts {
            return Err(mend.into());
        }
        Ok(Self::Bucket { name: name.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Bucket { name, prefix } if prefix.is_empty() => write!(f, "s3://{name}"),
            Self::Bucket { name, prefix } => write!(f, "s3://{name}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_folder_or_a_bucket_and_its_errors_tell_nothing_of_it() {
        for folder in ["/var/lib/files", "files", "a b/c"] {
            assert_eq!(folder.parse(), Ok(StoreAddress::Folder(folder.into())));
        }
        for (text, name, prefix) in
            [("s3://files", "files", ""), ("s3://files/", "files", ""), ("s3://files/a/b/", "files", "a/b")]
        {
            let bucket = StoreAddress::Bucket { name: name.into(), prefix: prefix.into() };
            assert_eq!(text.parse(), Ok(bucket));
        }
        assert_eq!("s3://files/a/b/".parse::<StoreAddress>().unwrap().to_string(), "s3://files/a/b");
        for wrong in
            ["", " ", "s3://", "s3:///a", "s3://me:hunter2@mine", "gs://files", "s3://f/../a", "s3://f//a"]
        {
            let told = wrong.parse::<StoreAddress>().unwrap_err();
            assert!(!told.contains("hunter2") && !told.contains("mine"), "{told}");
        }
    }
}
