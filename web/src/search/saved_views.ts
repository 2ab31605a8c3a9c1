// Searches that the reader named; kept in this browser.
import { Watched } from "../app/watched";

interface SavedView {
  name: string;
  text: string;
}

const STORED_AS = "chronos.views.";

function stored(screen: string): SavedView[] {
  try {
    return JSON.parse(localStorage.getItem(STORED_AS + screen) ?? "[]") as SavedView[];
  } catch {
    return [];
  }
}

export class SavedViews {
  readonly all: Watched<readonly SavedView[]>;

  constructor(private readonly screen: string) {
    this.all = new Watched<readonly SavedView[]>(stored(screen));
  }

  save(view: SavedView): void {
    this.write([...this.all.value.filter(({ name }) => name !== view.name), view]);
  }

  remove(name: string): void {
    this.write(this.all.value.filter((view) => view.name !== name));
  }

  private write(views: SavedView[]): void {
    localStorage.setItem(STORED_AS + this.screen, JSON.stringify(views));
    this.all.set(views);
  }
}
