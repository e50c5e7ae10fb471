//! Finds the imports between files, and their cycles.
//!
//! A file imports another if it names an item that is defined there, by its full path or by a re-export. A
//! re-export (`pub use`) alone and a `mod` declaration are not imports.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::Module;

type Path = Vec<String>;

/// A graph whose nodes are files and whose edges are imports, with the imported names.
#[derive(Debug)]
pub struct Graph {
    paths: Vec<Path>,
    edges: BTreeMap<(usize, usize), BTreeSet<String>>,
}

struct Resolver {
    index: BTreeMap<Path, usize>,
    /// The re-exports of each module, by their name in the module.
    exports: Vec<BTreeMap<String, Path>>,
}

/// The target of a path.
enum Target {
    /// A module.
    Module(usize),
    /// An item of a module.
    Item(usize),
    /// Not a part of this crate.
    Foreign,
}

impl Resolver {
    fn new(modules: &[Module]) -> Self {
        let index: BTreeMap<Path, usize> =
            modules.iter().enumerate().map(|(i, m)| (m.path.clone(), i)).collect();
        let mut own = Self { index, exports: vec![] };
        for module in modules {
            let exported = module.uses.iter().filter(|u| u.is_public);
            let exported =
                exported.filter_map(|u| Some((u.name.clone(), own.absolute(&u.path, &module.path)?)));
            let exported = exported.collect();
            own.exports.push(exported);
        }
        own
    }

    /// Converts a path that is written in `module` to an absolute path.
    fn absolute(&self, path: &[String], module: &[String]) -> Option<Path> {
        match path[0].as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([module, &path[1..]].concat()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let kept = module.len().checked_sub(ups)?;
                Some([&module[..kept], &path[ups..]].concat())
            }
            first => {
                let child = [module, &[first.to_owned()]].concat();
                self.index.contains_key(&child).then(|| [module, path].concat())
            }
        }
    }

    fn resolve(&self, path: &[String], depth: usize) -> Target {
        for k in (0..=path.len()).rev() {
            let Some(&module) = self.index.get(&path[..k]) else { continue };
            let Some(first) = path.get(k) else { return Target::Module(module) };
            return match self.exports[module].get(first) {
                Some(exported) if depth < 16 => {
                    self.resolve(&[exported.as_slice(), &path[k + 1..]].concat(), depth + 1)
                }
                _ => Target::Item(module),
            };
        }
        Target::Foreign
    }
}

impl Graph {
    /// The graph of these files.
    pub fn new(modules: &[Module]) -> Self {
        let resolver = Resolver::new(modules);
        let mut edges: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
        for (i, module) in modules.iter().enumerate() {
            let mut add = |to: usize, name: &str| {
                if to != i {
                    edges.entry((i, to)).or_default().insert(name.to_owned());
                }
            };
            let mut aliases: BTreeMap<&str, &Path> = BTreeMap::new();
            for import in &module.uses {
                let Some(path) = resolver.absolute(&import.path, &module.path) else { continue };
                match resolver.resolve(&path, 0) {
                    Target::Module(at) => {
                        aliases.insert(&import.name, &modules[at].path);
                    }
                    Target::Item(at) if !import.is_public && import.name != "*" => add(at, &import.name),
                    _ => {}
                }
            }
            let handed: BTreeMap<&str, Path> = (module.uses.iter().filter(|u| u.is_public))
                .filter_map(|u| Some((u.name.as_str(), resolver.absolute(&u.path, &module.path)?)))
                .collect();
            for mention in &module.mentions {
                let path = match (aliases.get(mention[0].as_str()), handed.get(mention[0].as_str())) {
                    (Some(alias), _) => Some([alias.as_slice(), &mention[1..]].concat()),
                    (_, Some(path)) => Some([path.as_slice(), &mention[1..]].concat()),
                    _ => resolver.absolute(mention, &module.path),
                };
                if let Some(Target::Item(at)) = path.map(|path| resolver.resolve(&path, 0)) {
                    add(at, &mention[mention.len() - 1]);
                }
            }
        }
        Self { paths: modules.iter().map(|module| module.path.clone()).collect(), edges }
    }

    /// The graph in which each file is replaced by its folder. Imports between a folder and its subfolders
    /// are left out.
    pub fn of_folders(&self, is_folder: impl Fn(&str) -> bool) -> Self {
        let folder = |path: &Path| {
            let n = if is_folder(&path.join("::")) { path.len() } else { path.len().saturating_sub(1) };
            path[..n].to_vec()
        };
        let mut paths: Vec<Path> = self.paths.iter().map(folder).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut edges: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
        for ((from, to), names) in &self.edges {
            let (a, b) = (folder(&self.paths[*from]), folder(&self.paths[*to]));
            if a.starts_with(&b) || b.starts_with(&a) {
                continue;
            }
            let at = |path: &Path| paths.binary_search(path).expect("a folder");
            let files = format!(
                "{} ({})",
                self.paths[*from].join("::"),
                names.iter().cloned().collect::<Vec<_>>().join(", ")
            );
            edges.entry((at(&a), at(&b))).or_default().insert(files);
        }
        Self { paths, edges }
    }

    /// The number of pairs of files with an import in either direction.
    pub fn n_imports(&self) -> usize {
        self.edges.len()
    }

    /// Whether one file imports another, by module paths.
    pub fn imports(&self, from: &str, to: &str) -> bool {
        let at = |name: &str| self.paths.iter().position(|path| path.join("::") == name);
        at(from).zip(at(to)).is_some_and(|edge| self.edges.contains_key(&edge))
    }

    /// Sets of files in which each file reaches every other: the strongly connected components with more than
    /// one file.
    pub fn cycles(&self) -> Vec<Vec<usize>> {
        let n = self.paths.len();
        let reached: Vec<BTreeSet<usize>> = (0..n).map(|from| self.reached(from)).collect();
        let mut seen = BTreeSet::new();
        let mut cycles = vec![];
        for i in 0..n {
            if seen.contains(&i) {
                continue;
            }
            let cycle: Vec<usize> =
                (0..n).filter(|j| reached[i].contains(j) && reached[*j].contains(&i)).collect();
            seen.extend(cycle.iter().copied());
            if cycle.len() > 1 {
                cycles.push(cycle);
            }
        }
        cycles
    }

    fn reached(&self, from: usize) -> BTreeSet<usize> {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            let next = self.edges.range((at, 0)..(at + 1, 0)).map(|((_, to), _)| *to);
            open.extend(next.filter(|to| reached.insert(*to)));
        }
        reached
    }

    /// The names of some files.
    pub fn names(&self, files: &[usize]) -> Vec<String> {
        files.iter().map(|file| self.paths[*file].join("::")).collect()
    }

    /// The imports that form each cycle.
    pub fn describe(&self, cycles: &[Vec<usize>]) -> String {
        let mut text = String::new();
        for cycle in cycles {
            text.push_str(&format!("a cycle of {}:\n", cycle.len()));
            for ((from, to), names) in &self.edges {
                if cycle.contains(from) && cycle.contains(to) {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    let (from, to) = (self.paths[*from].join("::"), self.paths[*to].join("::"));
                    text.push_str(&format!("  {from} -> {to}: {}\n", names.join(", ")));
                }
            }
        }
        text
    }
}
