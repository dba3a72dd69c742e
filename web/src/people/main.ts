import { showFace } from '@/parts/face'
import People from './People.svelte'

void showFace(People)
